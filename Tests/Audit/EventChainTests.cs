using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Audit;

/// <summary>The bytes are promised: logs are sealed with them for good. The hashes here were made by another program, from docs/audit.md.</summary>
public sealed class EventChainTests
{
    private static readonly Guid Target = new([.. Enumerable.Range(1, 16).Select(i => (byte)i)], bigEndian: true);
    private static readonly HeartId Heart = HeartId.FromGuid(new Guid([.. Enumerable.Range(17, 16).Select(i => (byte)i)], bigEndian: true));
    private static readonly RawEvent Plain = new(new EventPosition(41, Target, 1), "post_1 ❤️", Heart, "ann", HeartEventKind.Given, 1_750_000_000_000_001, -5);

    private static readonly RawEvent Whole = new(
        new EventPosition(42, Target, 2), null, Heart, "ann", HeartEventKind.Withdrawn, 1_750_000_000_000_002, 6, "key:school", 5, "203.0.113.0/24", 7, "job_1");

    private static readonly RawEvent Decided = new(
        new EventPosition(42, Decision.Desk, 1), "", default, "", HeartEventKind.Decided, 1_750_000_000_000_003, 9, "key:operator", About: Target, Detail: """{"action":"frozen"}""");

    [Fact]
    public void Finish_TwoBlocks_HasThePromisedHashes()
    {
        using var chain = new EventChain(new HeartKeys("a key of sixteen"));

        var first = Seal(chain, EventChain.Origin, 1, 41, 1_750_000_000_000_100, Plain);
        var second = Seal(chain, first.Hash, 2, 42, 1_750_000_000_000_200, Decided, Whole);

        Convert.ToHexStringLower(first.Hash).ShouldBe("d8432743ef98ede5fc285b6babc82c6937187c472ae636afe9f1672d693629ef");
        Convert.ToHexStringLower(second.Hash).ShouldBe("cad77350307ab95cc2607427b9107eab82fc599f64594c852f34518d03e68efa");
        (second.Number, second.Position, second.Events, second.AtMicros).ShouldBe((2, 42, 2, 1_750_000_000_000_200));
        chain.IsGenuine(second).ShouldBeTrue();
        chain.IsGenuine(second with { Hash = first.Hash }).ShouldBeFalse();
        using var other = new EventChain(new HeartKeys("another of sixteen"));
        other.IsGenuine(second).ShouldBeFalse();
    }

    public static TheoryData<string> Fields => ["order", "target", "version", "name", "heart", "kind", "at", "writer", "actor", "cause", "mac", "job", "about", "detail"];

    [Theory]
    [MemberData(nameof(Fields))]
    public void Finish_AFieldChanged_IsAnotherHash(string field)
    {
        using var chain = new EventChain(new HeartKeys("a key of sixteen"));
        var changed = field switch
        {
            "order" => Whole with { Position = Whole.Position with { Order = 43 } },
            "target" => Whole with { Position = Whole.Position with { Target = Guid.NewGuid() } },
            "version" => Whole with { Position = Whole.Position with { Version = 3 } },
            "name" => Whole with { TargetId = "" },
            "heart" => Whole with { Heart = default },
            "kind" => Whole with { Kind = HeartEventKind.Given },
            "at" => Whole with { AtMicros = 1 },
            "writer" => Whole with { Writer = 1 },
            "actor" => Whole with { Actor = null },
            "cause" => Whole with { Cause = 4 },
            "mac" => Whole with { NetworkMac = 8 },
            "job" => Whole with { Job = "job_2" },
            "about" => Whole with { About = Target },
            _ => Whole with { Detail = "{}" },
        };

        Seal(chain, EventChain.Origin, 1, 42, 1, changed).Hash.ShouldNotBe(Seal(chain, EventChain.Origin, 1, 42, 1, Whole).Hash);
    }

    [Fact]
    public void Finish_UserAndNetworkForgotten_IsTheSameHash()
    {
        using var chain = new EventChain(new HeartKeys("a key of sixteen"));

        Seal(chain, EventChain.Origin, 1, 42, 1, Whole with { UserId = "erased:r1", Network = null }).Hash.ShouldBe(Seal(chain, EventChain.Origin, 1, 42, 1, Whole).Hash);
    }

    [Fact]
    public void Finish_AfterABlockThatWasGivenUp_StartsAnew()
    {
        using var chain = new EventChain(new HeartKeys("a key of sixteen"));
        chain.Start(EventChain.Origin, 7);
        for (var i = 0; i < 1_000; i++) chain.Add(Whole with { Detail = new string('x', 100) });

        Convert.ToHexStringLower(Seal(chain, EventChain.Origin, 1, 41, 1_750_000_000_000_100, Plain).Hash).ShouldBe("d8432743ef98ede5fc285b6babc82c6937187c472ae636afe9f1672d693629ef");
    }

    [Fact]
    public void Add_DetailLongerThanTheBuffer_IsTaken()
    {
        using var chain = new EventChain(new HeartKeys("a key of sixteen"));
        var (x, y) = (new string('x', 100_000), new string('x', 99_999) + "y");

        Seal(chain, EventChain.Origin, 1, 42, 1, Whole with { Detail = x }).Hash.ShouldNotBe(Seal(chain, EventChain.Origin, 1, 42, 1, Whole with { Detail = y }).Hash);
    }

    private static EventSeal Seal(EventChain chain, byte[] previous, long number, long position, long at, params RawEvent[] rows)
    {
        chain.Start(previous, number);
        foreach (var row in rows) chain.Add(row);
        return chain.Finish(position, at);
    }
}
