import COpenSSL

/// ECDSA signatures: libcrypto speaks DER, JOSE and IEEE P1363 speak `r || s`.
enum ECDSAEncoding {
  static func raw(fromDER der: [UInt8], scalarCount: Int) throws(CryptographyError) -> [UInt8] {
    let signature = unsafe der.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      return unsafe d2i_ECDSA_SIG(nil, &position, bytes.count)
    }
    guard let signature = unsafe signature else { throw .libraryFailure("d2i_ECDSA_SIG") }
    defer { unsafe ECDSA_SIG_free(signature) }
    let size = CInt(scalarCount)
    let raw = unsafe [UInt8](unsafeUninitializedCapacity: scalarCount * 2) { output, count in
      let first = output.baseAddress
      let second = unsafe first?.advanced(by: scalarCount)
      let done =
        unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), first, size) == size
        && BN_bn2binpad(ECDSA_SIG_get0_s(signature), second, size) == size
      count = done ? scalarCount * 2 : 0
    }
    guard !raw.isEmpty else { throw .libraryFailure("BN_bn2binpad") }
    return raw
  }

  /// Nil unless both numbers have exactly their full length (RFC 7518 section 3.4).
  static func der(fromRaw raw: [UInt8], scalarCount: Int) -> [UInt8]? {
    guard raw.count == scalarCount * 2, let signature = unsafe ECDSA_SIG_new() else { return nil }
    defer { unsafe ECDSA_SIG_free(signature) }
    let size = CInt(scalarCount)
    let placed = unsafe raw.withUnsafeBufferPointer { bytes in
      let r = unsafe BN_bin2bn(bytes.baseAddress, size, nil)
      let s = unsafe BN_bin2bn(bytes.baseAddress?.advanced(by: scalarCount), size, nil)
      guard unsafe ECDSA_SIG_set0(signature, r, s) == 1 else {
        unsafe BN_free(r)
        unsafe BN_free(s)
        return false
      }
      return true
    }
    guard placed else { return nil }
    return unsafe encode { unsafe i2d_ECDSA_SIG(signature, $0) }
  }
}

/// Runs an `i2d` function twice: for the length, then for the bytes.
func encode(_ i2d: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> CInt) -> [UInt8]? {
  let size = Int(i2d(nil))
  guard size > 0 else { return nil }
  return unsafe [UInt8](unsafeUninitializedCapacity: size) { output, count in
    var position = output.baseAddress
    count = unsafe Int(i2d(&position)) == size ? size : 0
  }
}
