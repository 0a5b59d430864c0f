using System.Net;
using System.Text;
using HeartGrains.Gateway.Live;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Live;

/// <summary>What a client may send, and how much.</summary>
public sealed class LiveMessageTests
{
    [Fact]
    public void Parse_AllFields_AreRead()
    {
        var (message, wrong) = Parse("""{"subscribe":["a","b\u00e9"],"since":{"a":17,"b\u00e9":0},"unsubscribe":["c"]}""");

        wrong.ShouldBeEmpty();
        message!.Subscribe.ShouldBe(["a", "bé"]);
        message.Unsubscribe.ShouldBe(["c"]);
        message.Since.ShouldBe(new Dictionary<string, long> { ["a"] = 17, ["bé"] = 0 });
        Parse("{}").Message.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("no")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{"subscribe":["a"]""")]
    [InlineData("""{"subscribe":"a"}""")]
    [InlineData("""{"subscribe":null}""")]
    [InlineData("""{"subscribe":[1]}""")]
    [InlineData("""{"subscribe":[["a"]]}""")]
    [InlineData("""{"subscribe":[""]}""")]
    [InlineData("""{"subscribe":["a\u0000"]}""")]
    [InlineData("""{"subscribe":["\ud800"]}""")]
    [InlineData("""{"subscribe":["a"],"subscribe":["b"]}""")]
    [InlineData("""{"listen":["a"]}""")]
    [InlineData("""{"since":["a"]}""")]
    [InlineData("""{"since":{"a":-1}}""")]
    [InlineData("""{"since":{"a":1.5}}""")]
    [InlineData("""{"since":{"a":"1"}}""")]
    [InlineData("""{"since":{"a":99999999999999999999}}""")]
    [InlineData("""{"since":{"\ud800":1}}""")]
    public void Parse_AnythingElse_IsRefusedWithAReason(string json)
    {
        var (message, wrong) = Parse(json);

        message.ShouldBeNull();
        wrong.ShouldNotBeEmpty();
    }

    [Fact]
    public void Parse_TargetOf257Bytes_IsRefused()
    {
        Parse($$"""{"subscribe":["{{new string('a', 256)}}"]}""").Message.ShouldNotBeNull();
        Parse($$"""{"subscribe":["{{new string('a', 257)}}"]}""").Wrong.ShouldContain("256");
    }

    [Fact]
    public void MessageRate_BurstThenRate_IsHeld()
    {
        var time = new FakeTimeProvider();
        var rate = new LiveMessageRate(perSecond: 10, burst: 20, time.GetTimestamp());
        for (var i = 0; i < 20; i++) rate.TryTake(1, time).ShouldBeTrue();
        rate.TryTake(1, time).ShouldBeFalse();

        time.Advance(TimeSpan.FromSeconds(0.5));
        for (var i = 0; i < 5; i++) rate.TryTake(1, time).ShouldBeTrue();
        rate.TryTake(1, time).ShouldBeFalse();
        LiveMessageRate.CostOf(targets: 200).ShouldBe(11);
    }

    [Fact]
    public void Seats_OverEitherLimit_AreRefusedUntilOneIsGivenBack()
    {
        var seats = new LiveSeats(new LiveOptions { MaxConnections = 3, MaxConnectionsPerAddress = 2 }, new FakeTimeProvider());
        Enter(1, out var first).ShouldBe(SeatRefusal.None);
        Enter(1, out _).ShouldBe(SeatRefusal.None);
        Enter(1, out _).ShouldBe(SeatRefusal.Address);
        Enter(2, out _).ShouldBe(SeatRefusal.None);
        Enter(3, out _).ShouldBe(SeatRefusal.Gateway);

        seats.Leave(first);
        Enter(3, out _).ShouldBe(SeatRefusal.None);
        Enter(1, out _).ShouldBe(SeatRefusal.Gateway);

        SeatRefusal Enter(byte last, out LiveAddress address) => seats.Enter($"192.0.2.{last}", new IPAddress([192, 0, 2, last]), out address);
    }

    /// <summary>Connecting anew gives an address nothing back; and what one of its connections watches, another cannot.</summary>
    [Fact]
    public void Address_ThatConnectsAgainAndAgain_IsHeldToOneRateAndOneNumberOfTargets()
    {
        var time = new FakeTimeProvider();
        var seats = new LiveSeats(new LiveOptions { MessageBurstPerAddress = 20, MessagesPerSecondPerAddress = 2, MaxTargetsPerAddress = 3 }, time);
        var remote = IPAddress.Parse("192.0.2.1");
        for (var round = 0; round < 2; round++)
        {
            seats.Enter("a", remote, out var visit).ShouldBe(SeatRefusal.None);
            visit.TryTake(9).ShouldBeTrue();
            seats.Leave(visit);
        }

        seats.Enter("a", remote, out _).ShouldBe(SeatRefusal.Rate);
        seats.Enter("b", IPAddress.Parse("192.0.2.2"), out _).ShouldBe(SeatRefusal.None);
        time.Advance(TimeSpan.FromSeconds(1));
        seats.Enter("a", remote, out var one).ShouldBe(SeatRefusal.None);
        seats.Enter("a", remote, out var other).ShouldBe(SeatRefusal.None);
        for (var i = 0; i < 3; i++) one.TryWatch().ShouldBeTrue();
        other.TryWatch().ShouldBeFalse();
        one.Unwatch(1);
        other.TryWatch().ShouldBeTrue();
    }

    private static (LiveMessage? Message, string Wrong) Parse(string json) => LiveMessage.Parse(Encoding.UTF8.GetBytes(json));
}
