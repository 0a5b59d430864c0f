using HeartGrains.Hosting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class QuotaSettingsTests
{
    private const string First = "HeartGrains:RateLimits:Policies:0:";

    [Fact]
    public void Read_NothingConfigured_IsSixtyTokensAUser()
    {
        var policy = Read().Policies.ShouldHaveSingleItem();
        policy.ShouldBe(Policies.User);
    }

    [Fact]
    public void Read_EachAlgorithm_TakesItsOwnTerms()
    {
        var policies = Read(
            ("0:Name", "a"), ("0:Dimension", "address"), ("0:TokenLimit", "100"), ("0:TokensPerPeriod", "5"), ("0:ReplenishmentPeriod", "00:00:02"),
            ("1:Name", "b"), ("1:Dimension", "campaign"), ("1:Algorithm", "sliding_window"), ("1:PermitLimit", "7"), ("1:Window", "00:01:00"),
            ("2:Name", "c"), ("2:Dimension", "target"), ("2:Algorithm", "leaky_bucket"), ("2:Capacity", "3"), ("2:LeakPerPeriod", "2"), ("2:LeakPeriod", "00:00:01"),
            ("2:OnOutage", "admit"), ("2:Shadow", "true"), ("2:HeartCost", "3")).Policies;
        policies[0].ShouldBe(new QuotaPolicy
        {
            Name = "a",
            Dimension = QuotaDimension.Address,
            Algorithm = QuotaAlgorithm.TokenBucket,
            Limit = 100,
            Window = TimeSpan.FromSeconds(40),
            SliceTokens = 2,
        });
        policies[1].ShouldBe(new QuotaPolicy
        {
            Name = "b",
            Dimension = QuotaDimension.Campaign,
            Algorithm = QuotaAlgorithm.SlidingWindow,
            Limit = 7,
            Window = TimeSpan.FromMinutes(1),
            Segments = 10,
            SliceTokens = 2,
        });
        policies[2].ShouldBe(new QuotaPolicy
        {
            Name = "c",
            Dimension = QuotaDimension.Target,
            Algorithm = QuotaAlgorithm.LeakyBucket,
            Limit = 3,
            Window = TimeSpan.FromSeconds(1.5),
            SliceTokens = 2,
            HeartCost = 3,
            AdmitsOnOutage = true,
            IsShadow = true,
        });
        policies[1].SlicedSeats.ShouldBe(0);
        policies[2].SlicedSeats.ShouldBe(0);
    }

    [Fact]
    public void GrainLimit_ManySeats_LeavesTheGrainAtLeastHalf()
    {
        Policies.User.GrainLimit(2).ShouldBe(56);
        Policies.User.SlicedSeats.ShouldBe(15);
        Policies.User.GrainLimit(1_000).ShouldBe(30);
        (Policies.User with { Limit = 1 }).GrainLimit(5).ShouldBe(1);
    }

    [Theory]
    [InlineData("Algorithm", "bucket", "token_bucket, sliding_window or leaky_bucket")]
    [InlineData("Dimension", "ip", "user, address, target or campaign")]
    [InlineData("Name", "my policy", "a–z")]
    [InlineData("OnOutage", "maybe", "refuse or admit")]
    [InlineData("TokenLimit", "0", "between 1 and 9007199254740992")]
    [InlineData("TokenLimit", "9007199254740993", "between 1 and 9007199254740992")]
    [InlineData("TokenLimit", "many", "a whole number")]
    [InlineData("ReplenishmentPeriod", "00:00:00", "between 00:00:00.001")]
    [InlineData("HeartCost", "61", "0 to 60")]
    [InlineData("SliceTokens", "-1", "between 0 and 1000")]
    [InlineData("Shadow", "perhaps", "true or false")]
    [InlineData("PermitLimit", "5", "sliding_window")]
    [InlineData("LeakPeriod", "00:00:01", "leaky_bucket")]
    [InlineData("TokenLimit", "1000000000", "366 days")]
    public void Read_WrongValue_NamesKeyFoundAndAllowed(string setting, string value, string allowed)
    {
        var message = Should.Throw<StartException>(() => Read(("0:Name", "user"), ("0:Dimension", "user"), ($"0:{setting}", value))).Message;
        message.ShouldContain(First + setting);
        message.ShouldContain($"'{value}'");
        message.ShouldContain(allowed);
        message.ShouldContain("HEARTGRAINS__RATELIMITS__POLICIES__0__" + setting.ToUpperInvariant());
    }

    [Fact]
    public void Read_MissingOrUnknownOrRepeated_NamesTheKey()
    {
        Should.Throw<StartException>(() => Read(("0:Dimension", "user"))).Message.ShouldContain(First + "Name");
        Should.Throw<StartException>(() => Read(("0:Name", "user"))).Message.ShouldContain(First + "Dimension");
        Should.Throw<StartException>(() => Read(("0:Name", "w"), ("0:Dimension", "user"), ("0:Algorithm", "sliding_window"), ("0:PermitLimit", "5")))
            .Message.ShouldContain(First + "Window");
        Should.Throw<StartException>(() => Read(("0:Name", "user"), ("0:Dimension", "user"), ("0:TokenLimits", "5"))).Message.ShouldContain("did you mean " + First + "TokenLimit?");
        Should.Throw<StartException>(() => Read(("0:Name", "user"), ("0:Dimension", "user"), ("1:Name", "user"), ("1:Dimension", "target")))
            .Message.ShouldContain("HeartGrains:RateLimits:Policies:1:Name");
        Should.Throw<StartException>(() => Read(("0:Name", "user"), ("0:Dimension", "user"), ("7:Name", "late"))).Message.ShouldContain("HeartGrains:RateLimits:Policies:7:Dimension");
    }

    [Fact]
    public void Read_TooManyOrNoList_IsRefused()
    {
        var many = Enumerable.Range(0, 33).SelectMany(index => ((string, string)[])[($"{index}:Name", $"p{index}"), ($"{index}:Dimension", "user")]).ToArray();
        Should.Throw<StartException>(() => Read(many)).Message.ShouldContain("at most 32");
        Should.Throw<StartException>(() => Read(("first:Name", "user"))).Message.ShouldContain("Policies:first");
        Should.Throw<StartException>(() => Read(("0", "user"))).Message.ShouldContain("'user'");
        Should.Throw<StartException>(() => QuotaSettings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["HeartGrains:RateLimits:Policies"] = "x" }).Build())).Message.ShouldContain("'x'");
    }

    [Fact]
    public void LiveSettings_FileChanges_FollowsGoodOnesAndKeepsTheOldForBadOnes()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Keys(("0:Name", "user"), ("0:Dimension", "user"))).Build();
        using var settings = new LiveSettings<QuotaSettings>(configuration, QuotaSettings.Read, NullLogger.Instance);
        settings.Current.Policies[0].Limit.ShouldBe(60);

        configuration[First + "TokenLimit"] = "0";
        configuration.Reload();
        settings.Current.Policies[0].Limit.ShouldBe(60);

        configuration[First + "TokenLimit"] = "70";
        configuration.Reload();
        settings.Current.Policies[0].Limit.ShouldBe(70);
    }

    private static QuotaSettings Read(params (string Key, string Value)[] settings) =>
        QuotaSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(Keys(settings)).Build());

    private static Dictionary<string, string?> Keys(params (string Key, string Value)[] settings) =>
        settings.GroupBy(setting => "HeartGrains:RateLimits:Policies:" + setting.Key, setting => (string?)setting.Value).ToDictionary(setting => setting.Key, setting => setting.Last());
}
