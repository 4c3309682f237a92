"""What was made lately is made again only from other inputs."""

from tui_meta.views.recent import Recent


def test_a_result_is_made_again_only_from_inputs_that_are_not_remembered() -> None:
    recent, made = Recent[int](most=2), list[int]()

    def make() -> int:
        made.append(len(made))
        return made[-1]

    results = [recent.of((one, [2]), make) for one in (1, 1, 2, 1, 3, 2, 1)]
    assert results == [0, 0, 1, 0, 2, 1, 3]
