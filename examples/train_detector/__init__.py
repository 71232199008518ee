"""The reference example: train the paper's detector on any folder in MVTec AD's layout.

    python -m examples.train_detector --data DIR --class screw --task nsa --label logistic

Needs the extra `detector`. Without `--data` it trains on the embedded sample set.
"""
