// TenantRuntime
