// In the place of macOS's own header, for C that is compiled away from a Mac and never linked: see
// xtask/src/test/zenoh/macos.rs.
#ifndef TDSHM_TARGET_CONDITIONALS_H
#define TDSHM_TARGET_CONDITIONALS_H

#define TARGET_OS_MAC 1
#define TARGET_OS_OSX 1
#define TARGET_OS_IPHONE 0

#endif
