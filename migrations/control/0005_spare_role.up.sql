-- Database roles that are nobody's yet, made many at a time: after every change of the memberships each connection
-- reads all of them anew.
create table control.spare_role (
  -- The organization that will have the role; it gets this id.
  organization_id uuid primary key,
  name text not null constraint spare_role_name_key unique,
  -- False until the transaction that made it has told every connection.
  published boolean not null,
  created_at timestamptz not null
);
