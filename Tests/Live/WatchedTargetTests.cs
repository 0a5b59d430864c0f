using HeartGrains.Live;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Live;

/// <summary>Who is told what by a silo.</summary>
public sealed class WatchedTargetTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LiveBoard<string> _board;
    private readonly WatchedTarget<string> _post;
    private int _wakes;

    public WatchedTargetTests()
    {
        _board = new LiveBoard<string>(_time, () => _wakes++);
        _post = _board.Open("post");
    }

    [Fact]
    public void Publish_ManyTimes_IsToldOnceAndTheLatest()
    {
        _post.Add("g1");
        _post.Add("g2");
        for (var version = 1; version <= 100; version++) _post.Publish(version, version);

        var news = _board.Collect();

        news.Keys.Order().ShouldBe(["g1", "g2"]);
        news["g1"].Updates.ShouldBe([new LiveUpdate("post", 100, 100)]);
        news["g1"].Lost.ShouldBeEmpty();
        _wakes.ShouldBe(1);
        _board.Collect().ShouldBeEmpty();
    }

    [Fact]
    public void Publish_AfterItWasTold_IsToldAgain()
    {
        _post.Add("g1");
        _post.Publish(1, 1);
        _board.Collect();

        _post.Publish(2, 2);

        _board.Collect()["g1"].Updates.ShouldBe([new LiveUpdate("post", 2, 2)]);
        _wakes.ShouldBe(2);
    }

    [Fact]
    public void Publish_WhatIsNotLater_IsNotTold()
    {
        _post.Add("g1");
        _post.Publish(5, 5);
        _board.Collect();

        _post.Publish(5, 5);
        _post.Publish(3, 4);

        _board.Collect().ShouldBeEmpty();
    }

    [Fact]
    public void Watch_NotRenewed_EndsAfterAMinute()
    {
        _post.Add("g1");
        _time.Advance(TimeSpan.FromSeconds(45));
        _post.Add("g2");
        _post.IsWatched.ShouldBeTrue();

        _time.Advance(TimeSpan.FromSeconds(15));
        _post.Publish(1, 1);

        _board.Collect().Keys.ShouldBe(["g2"]);
        _time.Advance(TimeSpan.FromSeconds(45));
        _post.IsWatched.ShouldBeFalse();
    }

    [Fact]
    public void Watch_Renewed_IsOneWatchThatLastsLonger()
    {
        _post.Add("g1");
        _time.Advance(TimeSpan.FromSeconds(50));
        _post.Add("g1");
        _time.Advance(TimeSpan.FromSeconds(50));

        _post.Publish(1, 1);

        _board.Collect()["g1"].Updates.Count.ShouldBe(1);
    }

    [Fact]
    public void Remove_TheOnlyWatcher_NothingIsMarked()
    {
        _post.Add("g1");
        _post.Remove("g1");

        _post.Publish(1, 1);
        _post.Lose();

        _post.IsWatched.ShouldBeFalse();
        _wakes.ShouldBe(0);
        _board.Collect().ShouldBeEmpty();
    }

    [Fact]
    public void Lose_TellsWatchersWithTheLastState()
    {
        _post.Add("g1");
        _post.Publish(3, 3);

        _post.Lose();

        var news = _board.Collect()["g1"];
        news.Updates.ShouldBe([new LiveUpdate("post", 3, 3)]);
        news.Lost.ShouldBe(["post"]);
    }
}
