#include <libpq-fe.h>
// What the event loop of Database needs of Linux beside libpq; Swift's Glibc module lacks it.
#include <sys/epoll.h>
#include <sys/eventfd.h>
