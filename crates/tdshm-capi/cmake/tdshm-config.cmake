# The C and C++ libraries of tdshm: find_package(tdshm), then target_link_libraries(… tdshm::tdshm).
#
#   tdshm::tdshm-static   the archive, with the libraries of the system that it needs
#   tdshm::tdshm-shared   libtdshm.so, libtdshm.dylib, tdshm.dll
#   tdshm::tdshm          the one that BUILD_SHARED_LIBS asks for, and the archive where it says nothing
#
# TDSHM_COMPAT_INCLUDE_DIR is the folder for programs that say #include "UT_SharedMem.h".
#
# Everything is found from where this file lies, so the folder may be moved.

get_filename_component(_tdshm_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(TDSHM_INCLUDE_DIR "${_tdshm_prefix}/include")
set(TDSHM_COMPAT_INCLUDE_DIR "${_tdshm_prefix}/include/tdshm/compat")

if(WIN32)
  set(_tdshm_static "${_tdshm_prefix}/lib/libtdshm.a")
  set(_tdshm_shared "${_tdshm_prefix}/bin/tdshm.dll")
  set(_tdshm_import "${_tdshm_prefix}/lib/libtdshm.dll.a")
  set(_tdshm_system @WINDOWS_LIBRARIES@)
  if(MSVC)
    # The archive is one of MinGW-w64's; the library itself serves every compiler, with an import library for link.exe.
    set(_tdshm_static "")
    set(_tdshm_import "${_tdshm_prefix}/lib/tdshm.lib")
  endif()
elseif(APPLE)
  set(_tdshm_static "${_tdshm_prefix}/lib/libtdshm.a")
  set(_tdshm_shared "${_tdshm_prefix}/lib/libtdshm.dylib")
  set(_tdshm_system @MACOS_LIBRARIES@)
else()
  set(_tdshm_static "${_tdshm_prefix}/lib/libtdshm.a")
  set(_tdshm_shared "${_tdshm_prefix}/lib/libtdshm.so")
  set(_tdshm_system @LINUX_LIBRARIES@)
endif()

if(NOT TARGET tdshm::tdshm-static AND _tdshm_static AND EXISTS "${_tdshm_static}")
  add_library(tdshm::tdshm-static STATIC IMPORTED)
  set_target_properties(tdshm::tdshm-static PROPERTIES
    IMPORTED_LOCATION "${_tdshm_static}"
    INTERFACE_INCLUDE_DIRECTORIES "${TDSHM_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${_tdshm_system}")
endif()

if(NOT TARGET tdshm::tdshm-shared AND EXISTS "${_tdshm_shared}")
  add_library(tdshm::tdshm-shared SHARED IMPORTED)
  set_target_properties(tdshm::tdshm-shared PROPERTIES
    IMPORTED_LOCATION "${_tdshm_shared}"
    INTERFACE_INCLUDE_DIRECTORIES "${TDSHM_INCLUDE_DIR}")
  if(WIN32)
    set_target_properties(tdshm::tdshm-shared PROPERTIES IMPORTED_IMPLIB "${_tdshm_import}")
  endif()
endif()

if(NOT TARGET tdshm::tdshm)
  if(TARGET tdshm::tdshm-shared AND (BUILD_SHARED_LIBS OR NOT TARGET tdshm::tdshm-static))
    set(_tdshm_chosen tdshm::tdshm-shared)
  elseif(TARGET tdshm::tdshm-static)
    set(_tdshm_chosen tdshm::tdshm-static)
  endif()
  if(_tdshm_chosen)
    add_library(tdshm::tdshm INTERFACE IMPORTED)
    set_target_properties(tdshm::tdshm PROPERTIES INTERFACE_LINK_LIBRARIES "${_tdshm_chosen}")
  else()
    set(tdshm_FOUND FALSE)
    set(tdshm_NOT_FOUND_MESSAGE "there is no library of tdshm for this system and compiler in ${_tdshm_prefix}")
  endif()
endif()

foreach(_tdshm_part IN LISTS tdshm_FIND_COMPONENTS)
  if(NOT TARGET "tdshm::tdshm-${_tdshm_part}")
    set(tdshm_${_tdshm_part}_FOUND FALSE)
    if(tdshm_FIND_REQUIRED_${_tdshm_part})
      set(tdshm_FOUND FALSE)
      set(tdshm_NOT_FOUND_MESSAGE "tdshm has the components static and shared, and ${_tdshm_part} is not in ${_tdshm_prefix}")
    endif()
  else()
    set(tdshm_${_tdshm_part}_FOUND TRUE)
  endif()
endforeach()

unset(_tdshm_part)
unset(_tdshm_prefix)
unset(_tdshm_static)
unset(_tdshm_shared)
unset(_tdshm_import)
unset(_tdshm_system)
unset(_tdshm_chosen)
