/// JSON Object Signing: keys (RFC 7517), compact signatures (RFC 7515) and tokens (RFC 7519) on ``Cryptography``.
///
/// - ``SignatureAlgorithm``: the six algorithms the product speaks.
/// - ``JWK``, ``JWKSet``: keys as they are published and registered.
/// - ``SigningKey``, ``JWS``: compact serialization, signed and verified.
/// - ``JWT``, ``JWTClaims``: the registered claims and their checks.
///
/// Everything is a value; there is no assembly.
package enum JOSE {}
