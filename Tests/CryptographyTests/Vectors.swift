struct GCMVector: Sendable {
  let key: String
  let nonce: String
  let plaintext: String
  let additionalData: String
  let ciphertext: String
  let tag: String
}

struct HMACVector: Sendable {
  let key: String
  let message: String
  let code: String
}

struct HKDFVector: Sendable {
  let key: String
  let salt: String
  let info: String
  let count: Int
  let output: String
}

/// NIST CAVP, `gcmEncryptExtIV256.rsp`: IV of 96 bits, tag of 128 bits, one of each shape.
let gcmVectors: [GCMVector] = [
  GCMVector(
    key: "b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
    nonce: "516c33929df5a3284ff463d7",
    plaintext: "",
    additionalData: "",
    ciphertext: "",
    tag: "bdc1ac884d332457a1d2664f168c76f0"),
  GCMVector(
    key: "78dc4e0aaf52d935c3c01eea57428f00ca1fd475f5da86a49c8dd73d68c8e223",
    nonce: "d79cf22d504cc793c3fb6c8a",
    plaintext: "",
    additionalData: "b96baa8c1c75a671bfb2d08d06be5f36",
    ciphertext: "",
    tag: "3e5d486aa2e30b22e040b85723a06e76"),
  GCMVector(
    key: "31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
    nonce: "0d18e06c7c725ac9e362e1ce",
    plaintext: "2db5168e932556f8089a0622981d017d",
    additionalData: "",
    ciphertext: "fa4362189661d163fcd6a56d8bf0405a",
    tag: "d636ac1bbedd5cc3ee727dc2ab4a9489"),
  GCMVector(
    key: "83688deb4af8007f9b713b47cfa6c73e35ea7a3aa4ecdb414dded03bf7a0fd3a",
    nonce: "0b459724904e010a46901cf3",
    plaintext: "33d893a2114ce06fc15d55e454cf90c3",
    additionalData: "794a14ccd178c8ebfd1379dc704c5e208f9d8424",
    ciphertext: "cc66bee423e3fcd4c0865715e9586696",
    tag: "0fb291bd3dba94a1dfd8b286cfb97ac5"),
  GCMVector(
    key: "69b458f2644af9020463b40ee503cdf083d693815e2659051ae0d039e606a970",
    nonce: "8d1da8ab5f91ccd09205944b",
    plaintext: "f3e0e09224256bf21a83a5de8d",
    additionalData: "036ad5e5494ef817a8af2f5828784a4bfedd1653",
    ciphertext: "c0a62d77e6031bfdc6b13ae217",
    tag: "a794a9aaee48cd92e47761bf1baff0af"),
  GCMVector(
    key: "37ccdba1d929d6436c16bba5b5ff34deec88ed7df3d15d0f4ddf80c0c731ee1f",
    nonce: "5c1b21c8998ed6299006d3f9",
    plaintext: "ad4260e3cdc76bcc10c7b2c06b80b3be948258e5ef20c508a81f51e96a518388",
    additionalData: "22ed235946235a85a45bc5fad7140bfa",
    ciphertext: "3b335f8b08d33ccdcad228a74700f1007542a4d1e7fc1ebe3f447fe71af29816",
    tag: "1fbf49cc46f458bf6e88f6370975e6d4"),
  GCMVector(
    key: "5fe01c4baf01cbe07796d5aaef6ec1f45193a98a223594ae4f0ef4952e82e330",
    nonce: "bd587321566c7f1a5dd8652d",
    plaintext: "881dc6c7a5d4509f3c4bd2daab08f165ddc204489aa8134562a4eac3d0bcad7965847b10"
      + "2733bb63d1e5c598ece0c3e5dadddd",
    additionalData: "9013617817dda947e135ee6dd3653382",
    ciphertext: "16e375b4973b339d3f746c1c5a568bc7526e909ddff1e19c95c94a6ccff210c9a4a40679"
      + "de5760c396ac0e2ceb1234f9f5fe26",
    tag: "abd3d26d65a6275f7a4f56b422acab49"),
  GCMVector(
    key: "148579a3cbca86d5520d66c0ec71ca5f7e41ba78e56dc6eebd566fed547fe691",
    nonce: "b08a5ea1927499c6ecbfd4e0",
    plaintext: "9d0b15fdf1bd595f91f8b3abc0f7dec927dfd4799935a1795d9ce00c9b879434420fe42c"
      + "275a7cd7b39d638fb81ca52b49dc41",
    additionalData: "e4f963f015ffbb99ee3349bbaf7e8e8e6c2a71c230a48f9d59860a29091d2747e01a5ca5"
      + "72347e247d25f56ba7ae8e05cde2be3c97931292c02370208ecd097ef692687fecf2f419"
      + "d3200162a6480a57dad408a0dfeb492e2c5d",
    ciphertext: "2097e372950a5e9383c675e89eea1c314f999159f5611344b298cda45e62843716f215f8"
      + "2ee663919c64002a5c198d7878fd3f",
    tag: "adbecdb0d5c2224d804d2886ff9a5760"),
]

/// RFC 4231 sections 4.2 to 4.8 without 4.6, which truncates: we never do.
let hmacVectors: [HMACVector] = [
  HMACVector(
    key: "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
    message: "4869205468657265",
    code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
  HMACVector(
    key: "4a656665",
    message: "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
    code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
  HMACVector(
    key: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    message: "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
      + "dddddddddddddddddddddddddddd",
    code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
  HMACVector(
    key: "0102030405060708090a0b0c0d0e0f10111213141516171819",
    message: "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
      + "cdcdcdcdcdcdcdcdcdcdcdcdcdcd",
    code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
  HMACVector(
    key: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    message: "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b65"
      + "79202d2048617368204b6579204669727374",
    code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
  HMACVector(
    key: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    message: "5468697320697320612074657374207573696e672061206c6172676572207468616e2062"
      + "6c6f636b2d73697a65206b657920616e642061206c6172676572207468616e20626c6f63"
      + "6b2d73697a6520646174612e20546865206b6579206e6565647320746f20626520686173"
      + "686564206265666f7265206265696e6720757365642062792074686520484d414320616c"
      + "676f726974686d2e",
    code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
]

/// RFC 5869 appendix A.1 to A.3.
let hkdfVectors: [HKDFVector] = [
  HKDFVector(
    key: "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    count: 42,
    output: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208"
      + "d5b887185865"),
  HKDFVector(
    key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
      + "2425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f4041424344454647"
      + "48494a4b4c4d4e4f",
    salt: "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283"
      + "8485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7"
      + "a8a9aaabacadaeaf",
    info: "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3"
      + "d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7"
      + "f8f9fafbfcfdfeff",
    count: 82,
    output: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99"
      + "cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87"
      + "c14c01d5c1f3434f1d87"),
  HKDFVector(
    key: "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
    salt: "",
    info: "",
    count: 42,
    output: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395"
      + "faa4b61a96c8"),
]
