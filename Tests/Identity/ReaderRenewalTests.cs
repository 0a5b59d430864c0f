using System.Net;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Sites;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Identity;

/// <summary>Readers over days and months.</summary>
public sealed class ReaderRenewalTests : IDisposable
{
    private const string Own = "https://hearts.example";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero));
    private readonly SiteList _sites = new(new ConfigurationBuilder().AddInMemoryCollection([new("HeartGrains:Sites", "https://*.blog.example"), new("HeartGrains:Listen", "0.0.0.0")]).Build(), NullLogger<SiteList>.Instance);
    private readonly Readers _readers;

    public ReaderRenewalTests() =>
        _readers = new Readers(Options.Create(new ReaderOptions { Secret = new string('s', 32) }), _sites, new ReaderMetrics(), _time);

    public void Dispose() => _sites.Dispose();

    [Fact]
    public void FindOrIssue_TokenPastHalfItsLife_IsRenewedForTheSameReader()
    {
        var first = Call();
        var reader = _readers.FindOrIssue(first).UserId;

        _time.Advance(TimeSpan.FromDays(89));
        var young = Call(cookie: CookieOf(first));
        _readers.FindOrIssue(young).UserId.ShouldBe(reader);
        young.Response.Headers.SetCookie.Count.ShouldBe(0);

        _time.Advance(TimeSpan.FromDays(2));
        var due = Call(cookie: CookieOf(first));
        _readers.FindOrIssue(due).UserId.ShouldBe(reader);
        CookieOf(due).ShouldNotBe(CookieOf(first));

        // The first would have expired by now.
        _time.Advance(TimeSpan.FromDays(120));
        _readers.Find(Call(cookie: CookieOf(first))).ShouldBeNull();
        _readers.Find(Call(cookie: CookieOf(due))).ShouldBe(reader);
        _readers.FindOrIssue(Call(cookie: CookieOf(first))).UserId.ShouldNotBe(reader);
    }

    [Fact]
    public void FindOrIssue_ElementsTokenOfASubdomain_IsGoodOnAllPagesOfTheSite()
    {
        var first = Call("https://a.blog.example", token: "");
        var reader = _readers.FindOrIssue(first).UserId;
        var token = first.Response.Headers["Heart-Reader"].ToString();

        _readers.Find(Call("https://b.blog.example", token: token)).ShouldBe(reader);
        _readers.Find(Call(Own, token: token)).ShouldBeNull();
        _readers.Find(Call("https://evil.example", token: token)).ShouldBeNull();
    }

    [Theory]
    [InlineData("198.51.100.7", "198.51.100.200", true)]
    [InlineData("198.51.100.7", "198.51.101.7", false)]
    [InlineData("::ffff:198.51.100.7", "198.51.100.9", true)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:ffff::4", true)]
    [InlineData("2001:db8:1::3", "2001:db8:2::3", false)]
    public void OfAddress_TwoAddresses_AreOneReaderWithinANetwork(string one, string other, bool same)
    {
        var reader = _readers.OfAddress(Call(address: one), AddressReaders.Strict);
        reader.ShouldStartWith(Readers.Prefix);
        (_readers.OfAddress(Call(address: other), AddressReaders.Strict) == reader).ShouldBe(same);
    }

    [Fact]
    public void OfAddress_AnotherAgentOrAnotherDay_IsAnotherReaderAsTheModeSays()
    {
        var reader = _readers.OfAddress(Call(agent: "one"), AddressReaders.Soft);
        _readers.OfAddress(Call(agent: "other"), AddressReaders.Soft).ShouldNotBe(reader);
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Soft).ShouldBe(reader);
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Strict).ShouldBe(_readers.OfAddress(Call(agent: "other"), AddressReaders.Strict));
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Off).ShouldBeNull();
        Should.NotThrow(() => _readers.OfAddress(Call(agent: new string('界', 5_000)), AddressReaders.Soft));

        _time.Advance(TimeSpan.FromDays(1));
        _readers.OfAddress(Call(agent: "one"), AddressReaders.Soft).ShouldNotBe(reader);
    }

    private static string CookieOf(HttpContext context) => context.Response.Headers.SetCookie.Single()!.Split(';')[0];

    private static DefaultHttpContext Call(string? origin = Own, string? cookie = null, string? token = null, string address = "192.0.2.1", string? agent = null)
    {
        var context = new DefaultHttpContext();
        context.Request.Scheme = "https";
        context.Request.Host = new HostString("hearts.example");
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        if (origin is not null) context.Request.Headers.Origin = origin;
        if (cookie is not null) context.Request.Headers.Cookie = cookie;
        if (token is not null) context.Request.Headers["Heart-Reader"] = token;
        if (agent is not null) context.Request.Headers.UserAgent = agent;
        return context;
    }
}
