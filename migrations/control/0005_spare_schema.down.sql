do $$
declare
  spare record;
begin
  for spare in select name from control.spare_schema loop
    execute format('drop schema if exists %I', spare.name);
    execute format('drop role if exists %I', spare.name);
  end loop;
end
$$;
drop table control.spare_schema;
