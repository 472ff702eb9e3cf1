/* For programs that say #include "UT_SharedMem.h": put this folder on the include path, and they compile unchanged. */
#ifndef TDSHM_COMPAT_UT_SHAREDMEM_H
#define TDSHM_COMPAT_UT_SHAREDMEM_H
#include "../UT_SharedMem.h"
#endif
