"""Numbers of the page."""

from bsoid_gpu.views.page_data import short_names


def test_names_are_those_of_the_videos_where_they_differ():
    added = "DLC_resnet50_EPMAug25shuffle1_495000"
    assert short_names([f"Video1{added}", f"Video2{added}", "mouse"]) == ["Video1", "Video2", "mouse"]
    both = [f"Video1{added}", f"Video1{added}_filtered"]
    assert short_names(both) == both
