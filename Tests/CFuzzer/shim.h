#include <stddef.h>
#include <stdint.h>

/* The entry of libFuzzer without its own main (compiler-rt, FuzzerDriver.cpp). */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
