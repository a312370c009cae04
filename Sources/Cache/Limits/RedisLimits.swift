import Platform

/// The limits of all processes, in Redis; throws when it is away.
struct RedisLimits: Sendable {
  let client: RedisClient
  /// What a charge is called there: a keyed digest, since addresses and names are personal data.
  let name: @Sendable (LimitCharge.Key) -> String

  /// GCRA over several keys, all or nothing, by Redis's own clock.
  ///
  /// For each key: the cost of one permit and the burst, in microseconds, and how many are wanted. A
  /// value is the theoretical arrival time; it expires when it is in the past, where it means nothing.
  /// The answer has three numbers a key: granted, remaining, microseconds to wait.
  static let script = RedisScript(
    text: """
      local time = redis.call('TIME')
      local now = time[1] * 1000000 + time[2]
      local arrivals, free, short = {}, {}, false
      for i, key in ipairs(KEYS) do
        local cost, burst = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1])
        local arrival = tonumber(redis.call('GET', key) or now)
        arrivals[i] = math.min(math.max(arrival, now), now + burst)
        free[i] = math.floor((now + burst - arrivals[i]) / cost + 0.001)
        if free[i] < 1 then short = true end
      end
      local answer = {}
      for i, key in ipairs(KEYS) do
        local cost, burst = tonumber(ARGV[i * 3 - 2]), tonumber(ARGV[i * 3 - 1])
        local granted = 0
        if not short then
          granted = math.min(tonumber(ARGV[i * 3]), free[i])
          local arrival = arrivals[i] + granted * cost
          redis.call('SET', key, string.format('%.2f', arrival), 'PX', math.max(1, math.ceil((arrival - now) / 1000)))
        end
        answer[#answer + 1] = granted
        answer[#answer + 1] = free[i] - granted
        answer[#answer + 1] = free[i] < 1 and math.ceil(arrivals[i] + cost - now - burst) or 0
      end
      return answer
      """,
    sha1: "12e945aa065d1b2c346f9f2a8e9fe11a4f392a99")

  func lease(_ requests: [LeaseRequest]) async throws -> [Lease] {
    var arguments: [String] = []
    for request in requests {
      let rate = request.charge.rate
      arguments += [
        String(rate.interval), String(rate.interval * Double(rate.burst)), String(request.wanted),
      ]
    }
    let reply = try await client.run(
      Self.script, keys: requests.map { "tenure:limit:" + name($0.charge.key) },
      arguments: arguments)
    guard case .array(let elements) = reply, elements.count == requests.count * 3 else {
      throw RedisError.unexpectedReply
    }
    let numbers = try elements.map { element throws(RedisError) in
      guard case .integer(let number) = element, number >= 0 else {
        throw RedisError.unexpectedReply
      }
      return number
    }
    return requests.indices.map { index in
      Lease(
        granted: Int(numbers[index * 3]), remaining: Int(numbers[index * 3 + 1]),
        wait: Double(numbers[index * 3 + 2]))
    }
  }
}
