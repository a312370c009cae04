package import Hummingbird

/// One or a few routes of a feature: where they are mounted and what they answer.
///
/// The context says what is known when the handler runs: ``BaseContext`` knows the request, a
/// ``DerivedContext`` also whom it is for (the organization, the operator).
package protocol Endpoint<Context>: Sendable {
  associatedtype Context: RequestContext
  func mount(on routes: some RouterMethods<Context>)
}

/// Endpoints that share a path prefix and a context.
package struct EndpointGroup: Sendable {
  /// With who turns requests away that have waited too long for the group's own executor.
  let mount: @Sendable (Router<BaseContext>, LoadShedding?) -> Void

  /// Endpoints that need nothing beyond the request itself.
  package init(_ endpoints: [any Endpoint<BaseContext>]) {
    mount = { router, _ in
      for endpoint in endpoints { endpoint.mount(on: router) }
    }
  }

  /// Endpoints behind a context that has to be found first, for example the tenant of a path.
  ///
  /// `resolve` runs before each handler and may refuse by throwing: a handler cannot run without
  /// its context. Its own path parameters are in `base.parameters`. `executor` runs both; nil leaves them where
  /// the request is.
  package init<Context: DerivedContext>(
    at prefix: String,
    _ endpoints: [any Endpoint<Context>],
    on executor: (any TaskExecutor)? = nil,
    resolve: @escaping @Sendable (Request, BaseContext) async throws -> Context
  ) {
    mount = { router, shedding in
      let parent = router.group(RouterPath(prefix))
      let routes = ResolvingRoutes(
        parent: parent, executor: executor, shedding: executor == nil ? nil : shedding,
        resolve: resolve
      ).group()
      for endpoint in endpoints { endpoint.mount(on: routes) }
    }
  }
}

/// Routes whose handlers receive a context that is derived from the request, asynchronously.
///
/// Hummingbird's `ChildRequestContext` has a synchronous initialiser without the request, so a
/// tenant that is loaded from the database would have to be optional.
struct ResolvingRoutes<Context: DerivedContext>: RouterMethods {
  let parent: RouterGroup<BaseContext>
  let executor: (any TaskExecutor)?
  let shedding: LoadShedding?
  let resolve: @Sendable (Request, BaseContext) async throws -> Context

  func on<Responder: HTTPResponder>(
    _ path: RouterPath, method: HTTPRequest.Method, responder: Responder
  ) -> Self where Responder.Context == Context {
    parent.on(
      path, method: method,
      responder: CallbackResponder { [executor, shedding, resolve] request, base in
        try await withTaskExecutorPreference(executor) {
          try shedding?.check(request, base)
          return try await responder.respond(to: request, context: resolve(request, base))
        }
      })
    return self
  }

  func add(middleware: any MiddlewareProtocol<Request, Response, Context>) -> Self {
    // Only the group made from these routes is handed out, and it keeps middleware itself.
    preconditionFailure("Middleware belongs to the group.")
  }
}
