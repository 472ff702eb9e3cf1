/* For programs that say #include "TOP_SharedMemHeader.h": put this folder on the include path, and they compile unchanged. */
#ifndef TDSHM_COMPAT_TOP_SHAREDMEMHEADER_H
#define TDSHM_COMPAT_TOP_SHAREDMEMHEADER_H
#include "../TOP_SharedMemHeader.h"
#endif
