// Says which version of the library runs: whether a program is built and linked as it should be.

#include <tdshm/UT_SharedMem.h>
#include <tdshm/tdshm.hpp>

#include <iostream>

int main()
{
    std::cout << "tdshm " << tdshm::version_text() << '\n';
    return tdshm::version() == TDSHM_VERSION ? 0 : 1;
}
