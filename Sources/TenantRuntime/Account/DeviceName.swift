/// A browser in words a person recognises, from its `User-Agent` (RFC 9110 section 10.1.5).
///
/// A hint only: browsers say what they like. The more telling name comes first, since each pretends to
/// be the ones before it.
enum DeviceName {
  private static let browsers = [
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"), ("curl/", "curl"),
  ]
  private static let systems = [
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
  ]

  static func words(_ userAgent: String?) -> String {
    guard let userAgent else { return "A browser" }
    let browser = browsers.first { userAgent.contains($0.0) }?.1
    let system = systems.first { userAgent.contains($0.0) }?.1
    return switch (browser, system) {
    case (let browser?, let system?): "\(browser) on \(system)"
    case (let name?, nil): name
    case (nil, let system?): "A browser on \(system)"
    case (nil, nil): "A browser"
    }
  }
}
