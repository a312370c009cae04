/// An authority made for these tests, and its certificate for `pinned.example`; valid from 2020 to 2120, trusted nowhere.
enum Certificates {
  static let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBNjCB3aADAgECAhQMw1fRjOw9ZAyB4u4GFveW6gfzoTAKBggqhkjOPQQDAjAQ
    MQ4wDAYDVQQDDAVUZXN0czAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAw
    MFowEDEOMAwGA1UEAwwFVGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATg
    zoKjM7E8NUfr8nb8n0c3PZox+dJWnLVI7sztF4z2SCrBfD1qojVQZhtaokmO8JKL
    DwY37VvllYqLK2+7XRWEoxMwETAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMC
    A0gAMEUCIA7zffMnZ+EUCgNcOYgxmeoEaKGSD9qXfVCVUE+DBGM2AiEAxSmnyNBK
    2xsTM4frd2OK1pNGfKeoCp62UsvNZFYxx28=
    -----END CERTIFICATE-----
    """

  static let server = """
    -----BEGIN CERTIFICATE-----
    MIIBSTCB8KADAgECAhQlUtb0ox9fwHxfdq8myR+qZgofiTAKBggqhkjOPQQDAjAQ
    MQ4wDAYDVQQDDAVUZXN0czAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAw
    MFowGTEXMBUGA1UEAwwOcGlubmVkLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAAR4df8szhkUUxB0+en6xjSl+SxiTVlu8pwMoLht+/BrxrY+yjCTvira
    NlTEa06AaLbvDE5ruKK1ALgMIkf4QUDBox0wGzAZBgNVHREEEjAQgg5waW5uZWQu
    ZXhhbXBsZTAKBggqhkjOPQQDAgNIADBFAiEA6WiJaBdm7zbMyz8Xwon+gPbVsgEg
    conYoSBBM+pueXwCIH9AAI4D1KHZPy7CvDkiLSv53VK6mtmEhuxfudzpls2Z
    -----END CERTIFICATE-----
    """

  /// The server's; it protects nothing.
  static let serverKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgy/oxu+457VDmjf/I
    IceZJhSVo7iffTzDRx+OG98SrQWhRANCAAR4df8szhkUUxB0+en6xjSl+SxiTVlu
    8pwMoLht+/BrxrY+yjCTviraNlTEa06AaLbvDE5ruKK1ALgMIkf4QUDB
    -----END PRIVATE KEY-----
    """
}
