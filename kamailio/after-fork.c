/*
 * Gives each process of Kamailio an OpenSSL state of its own. Preloaded by entrypoint.sh.
 *
 * Kamailio has OpenSSL 3 allocate in shared memory and set itself up before it forks. What OpenSSL keeps for each thread (its
 * errors, its random numbers) is then the same memory in all processes, and two handshakes that fail at once free it
 * twice: anybody can end the server. So a new process forgets what its parent's thread had, and makes its own. Kamailio has
 * done the same since 5.8, if told to (tls_threads_mode 2; its issues 3695 and 3791).
 *
 * No header is needed, so that none has to be installed.
 */
#define RTLD_NEXT ((void *)-1L)

/* OpenSSL is loaded first and takes fewer. */
#define KEYS 16

extern void *dlsym(void *library, const char *name);
extern void *pthread_getspecific(unsigned key);
extern int pthread_setspecific(unsigned key, const void *value);

int fork(void) {
  int (*libc_fork)(void) = (int (*)(void))dlsym(RTLD_NEXT, "fork");
  int pid = libc_fork();
  if (pid == 0) {
    for (unsigned key = 0; key < KEYS; key++) {
      if (pthread_getspecific(key)) pthread_setspecific(key, 0);
    }
  }
  return pid;
}
