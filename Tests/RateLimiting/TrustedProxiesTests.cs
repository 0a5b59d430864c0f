using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Tests.RateLimiting;

public sealed class TrustedProxiesTests
{
    [Fact]
    public void Read_Nothing_TrustsNobody() => Read().ShouldBeEmpty();

    [Fact]
    public void Read_ListOfAddressesAndNetworks_IsRead() =>
        Read(("HeartGrains:TrustedProxies:0", "10.0.0.0/8"), ("HeartGrains:TrustedProxies:1", "::1")).ShouldBe(["10.0.0.0/8", "::1/128"]);

    [Fact]
    public void Read_OneLine_IsRead() => Read(("HeartGrains:TrustedProxies", "192.0.2.1, 2001:db8::/32")).ShouldBe(["192.0.2.1/32", "2001:db8::/32"]);

    [Theory]
    [InlineData("proxy.example.org")]
    [InlineData("10.1")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("*")]
    [InlineData("")]
    public void Read_NeitherAddressNorNetwork_NamesTheSetting(string text)
    {
        var message = Should.Throw<StartException>(() => Read(("HeartGrains:TrustedProxies:0", text))).Message;

        message.ShouldContain($"'{text}'");
        message.ShouldContain("HeartGrains:TrustedProxies:0, HEARTGRAINS__TRUSTEDPROXIES__0, --HeartGrains:TrustedProxies:0");
    }

    [Fact]
    public void Read_FrameworkBelievesEverybody_StopsTheStart() =>
        Should.Throw<StartException>(() => Read(("ForwardedHeaders_Enabled", "true"))).Message.ShouldContain("ASPNETCORE_FORWARDEDHEADERS_ENABLED");

    private static string[] Read(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();
        return [.. TrustedProxies.Read(configuration).Select(network => network.ToString())];
    }
}
