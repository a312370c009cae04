#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* Swift does not see macros that combine others. */
static const int selectPublicKey = EVP_PKEY_PUBLIC_KEY;
static const int selectKeyPair = EVP_PKEY_KEYPAIR;
