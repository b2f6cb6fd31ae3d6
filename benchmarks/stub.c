// A model server that is never the bottleneck: every POST gets the same reply, after a delay; GET tells the figures.
// stub REPLY DELAYS: files with the whole HTTP reply, and with doubles in seconds, taken by the request's seed modulo
// their number. Prints its port; ends with its parent.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, ROOM = 1 << 16 };
typedef struct { int fd, born; double came, due; } Waiting;
typedef struct { int born; size_t size; char data[ROOM + 1]; } Connection;

static Connection connections[MOST]; // by descriptor; `born` tells a descriptor from the one before it
static Waiting heap[MOST];
static int waiting;
static char *reply;
static double *delays, held;
static size_t reply_size, delay_count;
static long replies;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void swap(int a, int b) {
    Waiting kept = heap[a];
    heap[a] = heap[b], heap[b] = kept;
}

static void push(Waiting one) {
    int at = waiting++;
    for (heap[at] = one; at && heap[(at - 1) / 2].due > heap[at].due; at = (at - 1) / 2) swap(at, (at - 1) / 2);
}

static Waiting pop(void) {
    Waiting first = heap[0];
    heap[0] = heap[--waiting];
    for (int at = 0, low; (low = 2 * at + 1) < waiting; at = low) {
        low += low + 1 < waiting && heap[low + 1].due < heap[low].due;
        if (heap[at].due <= heap[low].due) break;
        swap(at, low);
    }
    return first;
}

static void answer(Waiting one) {
    if (connections[one.fd].born != one.born) return;
    replies++, held += now() - one.came;
    if (write(one.fd, reply, reply_size) < 0) perror("stub");
}

static void figures(int fd) {
    char body[128], text[256];
    int size = snprintf(body, sizeof body, "{\"replies\":%ld,\"seconds\":%.9f}", replies, held);
    size = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, body);
    if (write(fd, text, size) < 0) perror("stub");
}

static void take(int fd, Connection *from) {
    char *end, *length, *seed;
    while (from->data[from->size] = 0, end = strstr(from->data, "\r\n\r\n")) {
        length = strcasestr(from->data, "content-length:");
        size_t whole = end + 4 - from->data + (length && length < end ? strtoul(length + 15, 0, 10) : 0);
        if (from->size < whole) return;
        seed = delay_count > 1 ? strstr(end, "\"seed\":") : 0;
        double delay = delays[(seed ? strtoul(seed + 7, 0, 10) : 0) % delay_count], came = now();
        Waiting one = {fd, from->born, came, came + delay};
        if (!strncmp(from->data, "GET", 3)) figures(fd);
        else if (delay > 0) push(one);
        else answer(one);
        memmove(from->data, from->data + whole, from->size -= whole);
    }
}

static void receive(int fd) {
    Connection *from = &connections[fd];
    ssize_t size = read(fd, from->data + from->size, ROOM - from->size);
    if (size > 0) from->size += size, take(fd, from);
    else from->born++, close(fd);
}

static void welcome(int door, int poll) {
    int fd = accept(door, 0, 0), on = 1;
    if (fd < 0 || fd >= MOST) exit(1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd].size = 0;
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){EPOLLIN, {.fd = fd}});
}

static void serve(int door, int poll) {
    struct epoll_event events[256];
    for (;;) {
        double left = waiting ? heap[0].due - now() : 1;
        struct timespec most = {(long)left, left > 0 ? (left - (long)left) * 1e9 : 0};
        int count = epoll_pwait2(poll, events, 256, left > 0 ? &most : &(struct timespec){0, 0}, 0);
        for (int at = 0; at < count; at++)
            if (events[at].data.fd == door) welcome(door, poll);
            else receive(events[at].data.fd);
        while (waiting && heap[0].due <= now()) answer(pop());
    }
}

static char *whole(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    fseek(file, 0, SEEK_END), *size = ftell(file), rewind(file);
    char *data = malloc(*size + 1);
    if (fread(data, 1, *size, file) != *size) exit(2);
    return data;
}

int main(int count, char **given) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int door = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    if (count != 3 || prctl(PR_SET_PDEATHSIG, SIGKILL) || signal(SIGPIPE, SIG_IGN) == SIG_ERR) return 2;
    prctl(PR_SET_TIMERSLACK, 1); // nanoseconds: a delay of 50 ms is one
    reply = whole(given[1], &reply_size);
    delays = (double *)whole(given[2], &delay_count);
    delay_count /= sizeof(double);
    if (bind(door, (struct sockaddr *)&at, size) || listen(door, 4096)) return 1;
    getsockname(door, (struct sockaddr *)&at, &size);
    epoll_ctl(poll, EPOLL_CTL_ADD, door, &(struct epoll_event){EPOLLIN, {.fd = door}});
    printf("%d\n", ntohs(at.sin_port)), fflush(stdout);
    serve(door, poll);
}
