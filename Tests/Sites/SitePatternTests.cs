using HeartGrains.Gateway.Sites;

namespace HeartGrains.Tests.Sites;

public sealed class SitePatternTests
{
    [Theory]
    [InlineData("https://blog.example.com", "https://blog.example.com", true)]
    [InlineData("https://blog.example.com", "https://blog.example.com:443", true)]
    [InlineData("https://blog.example.com", "http://blog.example.com", false)]
    [InlineData("https://blog.example.com", "https://blog.example.com:8443", false)]
    [InlineData("https://blog.example.com", "https://evil-blog.example.com", false)]
    [InlineData("https://blog.example.com", "https://blog.example.com.evil.net", false)]
    [InlineData("https://blog.example.com", "https://blog.example.com@evil.net", false)]
    [InlineData("https://blog.example.com", "https://a.blog.example.com", false)]
    [InlineData("https://*.example.com", "https://a.example.com", true)]
    [InlineData("https://*.example.com", "https://a.b.example.com", true)]
    [InlineData("https://*.example.com", "https://example.com", false)]
    [InlineData("https://*.example.com", "https://evilexample.com", false)]
    [InlineData("https://*.example.com", "https://.example.com", false)]
    [InlineData("https://*.example.com", "https://a.example.com.evil.net", false)]
    [InlineData("https://*.example.com", "https://a.example.com:8443", false)]
    [InlineData("http://localhost:*", "http://localhost:5173", true)]
    [InlineData("http://localhost:*", "http://localhost", true)]
    [InlineData("http://localhost:*", "https://localhost:5173", false)]
    [InlineData("https://bücher.example", "https://xn--bcher-kva.example", true)]
    [InlineData("https://Blog.Example.com", "https://blog.example.com", true)]
    [InlineData("https://blog.example.com", "null", false)]
    [InlineData("https://blog.example.com", "", false)]
    [InlineData("https://blog.example.com", "https://blog.example.com/", false)]
    [InlineData("https://blog.example.com", "https://blog.example.com/x", false)]
    [InlineData("https://blog.example.com", "https://blog.example.com?x", false)]
    public void Matches_AnOrigin_OnlyWhereItIsThatSite(string pattern, string origin, bool matches)
    {
        SitePattern.TryParse(pattern, out var site).ShouldBeTrue();
        site.Matches(origin).ShouldBe(matches);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("https://*")]
    [InlineData("https://*.com")]
    [InlineData("https://*.1.2.3.4")]
    [InlineData("https://blog.*.com")]
    [InlineData("https://blog.example.com/")]
    [InlineData("https://blog.example.com/path")]
    [InlineData("https://user@blog.example.com")]
    [InlineData("blog.example.com")]
    [InlineData("ftp://blog.example.com")]
    [InlineData("https://")]
    [InlineData("")]
    [InlineData(null)]
    public void TryParse_NoOrigin_IsRefused(string? pattern) => SitePattern.TryParse(pattern, out _).ShouldBeFalse();
}
