#pragma once
// The C declarations of the BLACS and ScaLAPACK routines used here: the library ships no header.
// Fortran passes everything by address; INTEGER is a 32-bit int in every packaged build.

#include <mpi.h>

extern "C" {

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int* context, const char* order, int rows, int cols);
void Cblacs_gridinfo(int context, int* rows, int* cols, int* my_row, int* my_col);
void Cblacs_gridexit(int context);

int numroc_(const int* n, const int* block, const int* process, const int* source,
            const int* processes);
void descinit_(int* desc, const int* m, const int* n, const int* mb, const int* nb,
               const int* row_source, const int* col_source, const int* context, const int* lld,
               int* info);

void pdgels_(const char* trans, const int* m, const int* n, const int* nrhs, double* a,
             const int* ia, const int* ja, const int* desca, double* b, const int* ib,
             const int* jb, const int* descb, double* work, const int* lwork, int* info);
void pdpotrf_(const char* uplo, const int* n, double* a, const int* ia, const int* ja,
              const int* desca, int* info);
void pdpotrs_(const char* uplo, const int* n, const int* nrhs, const double* a, const int* ia,
              const int* ja, const int* desca, double* b, const int* ib, const int* jb,
              const int* descb, int* info);

void pdpocon_(const char* uplo, const int* n, const double* a, const int* ia, const int* ja,
              const int* desca, const double* anorm, double* rcond, double* work, const int* lwork,
              int* iwork, const int* liwork, int* info);
void pdpotri_(const char* uplo, const int* n, double* a, const int* ia, const int* ja,
              const int* desca, int* info);
void pdgeqpf_(const int* m, const int* n, double* a, const int* ia, const int* ja, const int* desca,
              int* ipiv, double* tau, double* work, const int* lwork, int* info);
void pdgesvd_(const char* jobu, const char* jobvt, const int* m, const int* n, double* a,
              const int* ia, const int* ja, const int* desca, double* s, double* u, const int* iu,
              const int* ju, const int* descu, double* vt, const int* ivt, const int* jvt,
              const int* descvt, double* work, const int* lwork, int* info);
double pdlansy_(const char* norm, const char* uplo, const int* n, const double* a, const int* ia,
                const int* ja, const int* desca, double* work);

}  // extern "C"
