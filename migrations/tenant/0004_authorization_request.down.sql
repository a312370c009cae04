alter table {tenant}.token_family
  drop column resources,
  drop column claims;
