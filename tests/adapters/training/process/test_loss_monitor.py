import pytest

from adapters.training.process.loss_monitor import LossMonitor


def test_a_healthy_run_gets_no_warning() -> None:
    monitor = LossMonitor()
    said = [monitor.check(step, 2.0 - 0.05 * step, 1.0) for step in range(30)]
    assert said == [[]] * 30
    assert [monitor.check_held_out(step, loss) for step, loss in enumerate((1.0, 0.9, 0.8))] == [
        []
    ] * 3


@pytest.mark.parametrize(
    ("loss", "grad_norm", "said"),
    [
        (float("nan"), 1.0, "the loss is NaN"),
        (4.0, 1.0, "jumped from 1.000 to 4.000"),
        (1.0, 250.0, "gradient norm 250"),
        (0.0, 0.0, "no token"),
    ],
)
def test_what_is_wrong_is_said_at_its_step(loss: float, grad_norm: float, said: str) -> None:
    monitor = LossMonitor()
    for step in range(10):
        assert monitor.check(step, 1.0, 1.0) == []
    (warning,) = monitor.check(10, loss, grad_norm)
    assert warning.startswith("step 10: ")
    assert said in warning


def test_gradients_that_stay_large_are_told_once() -> None:
    monitor = LossMonitor()
    norms = (1.0, 200.0, float("inf"), float("nan"), 2.0, 300.0)
    said = [len(monitor.check(step, 1.0, norm)) for step, norm in enumerate(norms)]
    assert said == [0, 1, 0, 0, 0, 1]


def test_held_out_loss_that_rises_while_the_other_falls_is_overfitting() -> None:
    monitor = LossMonitor()
    said = []
    for epoch, held_out in enumerate((1.0, 1.1, 1.2)):
        for step in range(10):
            monitor.check(10 * epoch + step, 1.0 / (epoch + 1), 1.0)
        said.append(monitor.check_held_out(10 * epoch, held_out))
    assert said[:2] == [[], []]
    assert "overfitting" in said[2][0]
