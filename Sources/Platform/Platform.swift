// Platform: values every other module builds on, without I/O of their own and without C.
//
//   ID, UUIDv7                RFC 9562          Identity/
//   WallClock, RandomSource   capabilities      Capabilities.swift
//   Secret                    does not print    Secret.swift
//   Base64, Base64URL, Base32, Hex  RFC 4648    TextEncodings.swift
//   JSON, JSONObject          RFC 8259          JSON/
//   Date.rfc3339              RFC 3339          Timestamps.swift
//   BoundedCache              LRU with expiry   BoundedCache.swift
//   SettingsReader            TENURE_*          Settings/
//   LogBootstrap              swift-log         Logging/
//   MetricsRegistry, Counter  Prometheus 0.0.4  Metrics/
//   TraceContext, OTLP        W3C, OpenTelemetry  Tracing/
//   TestSignal                inert in production
//
// There is no assembly: nothing here is wired, everything is used.
