using CsCheck;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Hearts;

public class HeartSetTests
{
    [Fact]
    public void Apply_AnyHistory_AgreesWithAPlainDictionary() =>
        Gen.Select(Gen.Int[0, 40], Gen.Bool).Array[0, 400].Sample(steps =>
        {
            var set = new HeartSet(1000);
            var model = new Dictionary<HeartId, long>();
            var at = 0L;
            foreach (var (user, collides) in steps)
            {
                var heart = Heart(user, collides);
                at++;
                if (model.Remove(heart)) set.Apply(HeartEventKind.Withdrawn, heart, at);
                else
                {
                    model[heart] = at;
                    set.Apply(HeartEventKind.Given, heart, at);
                }
            }

            set.Count.ShouldBe(model.Count);
            set.IsComplete.ShouldBeTrue();
            set.Held.ShouldBe(model.Count);
            for (var user = 0; user <= 40; user++)
                foreach (var collides in (bool[])[true, false])
                {
                    set.TryGet(Heart(user, collides), out var givenAt).ShouldBe(model.TryGetValue(Heart(user, collides), out var expected));
                    givenAt.ShouldBe(expected);
                }
        });

    [Fact]
    public void Apply_BeyondTheBound_KeepsTheNewestHalfAndCountsExactly()
    {
        var set = new HeartSet(limit: 100);
        for (var user = 0; user < 1000; user++) set.Apply(HeartEventKind.Given, Heart(user, false), user);

        set.Count.ShouldBe(1000);
        set.IsComplete.ShouldBeFalse();
        set.Held.ShouldBeLessThanOrEqualTo(100);
        for (var user = 950; user < 1000; user++) set.TryGet(Heart(user, false), out _).ShouldBeTrue();
        set.TryGet(Heart(0, false), out _).ShouldBeFalse();
    }

    [Fact]
    public void From_SnapshotWithTail_AppliesTheTailBehindTheProjection()
    {
        var snapshot = new TargetSnapshot(
            FoldedCount: 3,
            FoldedVersion: 3,
            Recent: [new(Heart(3, false), 30, 3), new(Heart(2, false), 20, 2), new(Heart(1, false), 10, 1)],
            Tail: [Event(4, Heart(2, false), HeartEventKind.Withdrawn), Event(5, Heart(9, false), HeartEventKind.Given)]);

        var set = HeartSet.From(snapshot, 100);

        set.Count.ShouldBe(3);
        set.IsComplete.ShouldBeTrue();
        set.TryGet(Heart(2, false), out _).ShouldBeFalse();
        set.TryGet(Heart(9, false), out var at).ShouldBeTrue();
        at.ShouldBe(5);
        set.TryGet(Heart(1, false), out at).ShouldBeTrue();
        at.ShouldBe(10);
    }

    [Fact]
    public void From_ProjectionLargerThanWhatWasRead_IsIncomplete() =>
        HeartSet.From(new TargetSnapshot(3, 3, [new(Heart(3, false), 30, 3)], []), 100).IsComplete.ShouldBeFalse();

    /// <summary>Half of the hearts share their low bits, so that the table's runs grow long.</summary>
    private static HeartId Heart(int user, bool collides) => new(collides ? 5ul : (ulong)user * 0x9E3779B97F4A7C15, (ulong)user + 1);

    private static HeartEvent Event(long version, HeartId heart, HeartEventKind kind) =>
        new(Guid.Empty, version, "t", heart, "u", kind, version, 1);
}
