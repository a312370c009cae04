do $$
declare
  spare record;
begin
  for spare in select name from control.spare_role loop
    execute format('drop role if exists %I', spare.name);
  end loop;
end
$$;
drop table control.spare_role;
