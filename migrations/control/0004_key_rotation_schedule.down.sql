-- Nothing is taken away: the release before gives the same job to the organizations it makes.
select 1;
