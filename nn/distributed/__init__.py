"""Data-parallel training on MPI: one script, alone or as ``mpiexec -n 4 python -m mpi4py train.py`` (extra ``mpi``)."""

from nn.distributed.trainer import DistributedTrainer

__all__ = ["DistributedTrainer"]
