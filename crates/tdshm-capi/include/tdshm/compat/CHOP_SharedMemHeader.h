/* For programs that say #include "CHOP_SharedMemHeader.h": put this folder on the include path, and they compile unchanged. */
#ifndef TDSHM_COMPAT_CHOP_SHAREDMEMHEADER_H
#define TDSHM_COMPAT_CHOP_SHAREDMEMHEADER_H
#include "../CHOP_SharedMemHeader.h"
#endif
