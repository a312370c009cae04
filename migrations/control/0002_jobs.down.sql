drop table control.job_schedule;
drop table control.job_finished;
drop table control.job;
