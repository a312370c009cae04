package import Database

/// The assembly of the job queue: its statements.
///
/// It knows no domain and has no handlers of its own.
package enum Jobs {
  package static let statements: [any Statement.Type] = [
    InsertJob.self, InsertJobs.self,
    FindJob.self, ListJobs.self, CountJobs.self, CancelWaitingJob.self, RequestCancel.self,
    RedriveJob.self,
    PlanAfresh.self, ClaimJobs.self, LockLimitedClaims.self, ClaimLimitedJobs.self,
    ExtendLeases.self, HeldJobs.self, RescueJobs.self, FenceJob.self,
    FinishJobs.self, FailJobs.self, ReturnJobs.self, ReportProgress.self,
    PutSchedule.self, DeleteSchedules.self, LeadSchedules.self, DueSchedules.self,
    AdvanceSchedule.self, DisableSchedule.self, FinishedPartitions.self, PruneFinishedJobs.self,
  ]
}
