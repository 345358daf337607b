"""Networks as scikit-learn estimators: ``NNClassifier`` and ``NNRegressor`` for pipelines, searches and ensembles.

They give what scikit-learn's own MLP lacks: an activation per layer, dropout, other losses and optimizers, callbacks,
class weights, and any ``nn`` module inside.

>>> from sklearn.datasets import load_iris
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> from nn.sklearn import NNClassifier
>>> x, y = load_iris(return_X_y=True)
>>> model = make_pipeline(StandardScaler(), NNClassifier(hidden=(16,), lr=0.01, epochs=30, random_state=0))
>>> model.fit(x, y).score(x, y) > 0.95
True
"""

from autograd.errors import missing

try:
    from nn.sklearn.classifier import NNClassifier
    from nn.sklearn.regressor import NNRegressor
except ImportError as error:
    if (error.name or "").partition(".")[0] != "sklearn":
        raise
    raise missing("nn.sklearn", "sklearn", error) from None

__all__ = ["NNClassifier", "NNRegressor"]
