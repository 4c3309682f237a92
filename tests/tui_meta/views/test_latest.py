"""What was made last is made again only from other inputs."""

from tui_meta.views.latest import Latest


def test_a_result_is_made_again_only_from_other_inputs() -> None:
    latest, made = Latest[int](), list[int]()

    def make() -> int:
        made.append(len(made))
        return made[-1]

    results = [latest.of((one, [2]), make) for one in (1, 1, 2, 2, 1)]
    assert results == [0, 0, 1, 1, 2]
