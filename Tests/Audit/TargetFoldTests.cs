using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Audit;

/// <summary>The comparison of a target with its log, on rows that a test makes up.</summary>
public sealed class TargetFoldTests
{
    private static readonly HeartKeys Keys = new("a key that only tests know");
    private static readonly Guid Target = Keys.OfTarget("post_1");
    private readonly List<RawEvent> _log = [];
    private readonly List<CurrentHeart> _current = [];

    [Fact]
    public void Read_AllAsItShouldBe_FindsNothing()
    {
        Add("ann", "ben", "-ann", "cid", "ann");
        Keep(2, 1, 2);

        var fold = Fold(new StoredTarget("post_1", 2, 2, 2), grainVersion: 3, grainCount: 1);

        fold.Findings.ShouldBeEmpty();
        (fold.Version, fold.Count, fold.TargetId).ShouldBe((5, 3, "post_1"));
    }

    [Fact]
    public void Read_NothingFoldedYet_FindsNothing()
    {
        Add("ann", "ben");
        Fold(new StoredTarget(null, 0, 0, 0), 2, 2).Findings.ShouldBeEmpty();
    }

    [Fact]
    public void Read_TargetWithoutAnything_FindsNothing() => Fold(new StoredTarget(null, 0, 0, 100), 0, 0).Findings.ShouldBeEmpty();

    [Theory]
    [InlineData(2, 2, 1, "count")]
    [InlineData(1, 2, 2, "count")]
    [InlineData(2, 3, 2, "count,hearts")]
    [InlineData(2, 1, 2, "count,hearts")]
    public void Read_ProjectionWrong_IsFound(long count, long version, long folded, string kinds)
    {
        Add("ann", "ben", "cid");
        Keep(2, 1, 2);
        Kinds(Fold(new StoredTarget("post_1", count, version, folded), 3, 3)).ShouldBe(kinds);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("strange")]
    [InlineData("version")]
    [InlineData("time")]
    public void Read_CurrentHeartsWrong_IsFound(string what)
    {
        Add("ann", "ben");
        Keep(2, 1, 2);
        if (what == "missing") _current.RemoveAt(0);
        else if (what == "strange") _current.Add(new CurrentHeart(new HeartId(1, 2), 3, 1));
        else if (what == "version") _current[0] = _current[0] with { Version = 2 };
        else _current[0] = _current[0] with { GivenAtMicros = 1 };

        Kinds(Fold(new StoredTarget("post_1", 2, 2, 2), 2, 2)).ShouldBe("hearts");
    }

    [Theory]
    [InlineData(2, 1, "grain")]
    [InlineData(3, 2, "grain")]
    [InlineData(1, 1, "")]
    public void CompareGrain_TellsAnotherCountThanTheLog_IsFound(long version, long count, string kinds)
    {
        Add("ann", "ben");
        Kinds(Fold(new StoredTarget(null, 0, 0, 0), version, count)).ShouldBe(kinds);
    }

    [Fact]
    public void Read_VersionsMissing_IsAGap()
    {
        Add("ann", "ben", "cid");
        _log.RemoveAt(1);
        var fold = Fold(new StoredTarget(null, 0, 0, 0), 3, 2);
        Kinds(fold).ShouldBe("gap");
        fold.Findings[0].Text.ShouldBe("version 2 is missing");
    }

    [Theory]
    [InlineData("ann", "ann")]
    [InlineData("ann", "-ben")]
    public void Read_NotInTurn_IsFound(params string[] log)
    {
        Add(log);
        Kinds(Fold(new StoredTarget(null, 0, 0, 0), 0, 0)).ShouldBe("order");
    }

    [Theory]
    [InlineData("user")]
    [InlineData("long user")]
    [InlineData("name")]
    [InlineData("no name")]
    [InlineData("kind")]
    [InlineData("network")]
    [InlineData("no network")]
    [InlineData("network from nowhere")]
    [InlineData("network of the forgotten")]
    public void Read_IdsOfOthers_IsFound(string what)
    {
        Add("ann");
        var row = _log[0] with { Network = "203.0.113.0/24", NetworkMac = Keys.OfNetwork(_log[0].Heart, _log[0].AtMicros, "203.0.113.0/24") };
        new EventProof(Keys).Check(row).ShouldBeNull();
        row = what switch
        {
            "user" => row with { UserId = "zoe" },
            "long user" => row with { UserId = new string('x', 4_000) },
            "name" => row with { TargetId = "post_2" },
            "no name" => row with { TargetId = null },
            "kind" => row with { Kind = HeartEventKind.Decided },
            "network" => row with { Network = "198.51.100.0/24" },
            "no network" => row with { Network = null },
            "network from nowhere" => row with { NetworkMac = 0 },
            _ => row with { UserId = "erased:r1" },
        };

        new EventProof(Keys).Check(row).ShouldNotBeNull();
    }

    [Fact]
    public void Check_TheForgotten_AreCountedByReceipt()
    {
        Add("ann", "ben", "cid");
        var proof = new EventProof(Keys);
        foreach (var row in _log) proof.Check(row with { UserId = row.Position.Version < 3 ? "erased:r1" : "erased:r2", NetworkMac = 9 }).ShouldBeNull();
        proof.Tombstones.ShouldBe([KeyValuePair.Create("r1", 2L), KeyValuePair.Create("r2", 1L)], ignoreOrder: true);
    }

    private void Add(params string[] steps)
    {
        foreach (var step in steps)
        {
            var (user, version) = (step.TrimStart('-'), _log.Count + 1);
            _log.Add(new RawEvent(
                new EventPosition(version, Target, version), version == 1 ? "post_1" : null, Keys.OfHeart(Target, user), user,
                step[0] == '-' ? HeartEventKind.Withdrawn : HeartEventKind.Given, 1_000 + version, 1));
        }
    }

    private void Keep(int upTo, params int[] versions)
    {
        versions.ShouldAllBe(version => version <= upTo);
        foreach (var version in versions) _current.Add(new CurrentHeart(_log[version - 1].Heart, _log[version - 1].AtMicros, version));
    }

    private TargetFold Fold(StoredTarget stored, long grainVersion, long grainCount)
    {
        var fold = new TargetFold(new EventProof(Keys), grainVersion);
        fold.Read(stored);
        foreach (var row in _log.Where(row => row.Position.Version <= stored.Version)) fold.Read(row);
        foreach (var heart in _current) fold.Read(heart);
        foreach (var row in _log.Where(row => row.Position.Version > stored.Version)) fold.Read(row);
        fold.Finish();
        if (grainVersion > 0) fold.CompareGrain(grainCount);
        return fold;
    }

    private static string Kinds(TargetFold fold) => string.Join(',', fold.Findings.Select(finding => finding.Kind).Distinct().Order());
}
