using HeartGrains.Gateway.Applause;
using Microsoft.AspNetCore.Http;

namespace HeartGrains.Tests.Applause;

public sealed class ApplausePageTests
{
    [Theory]
    [InlineData("https://blog.example.com/post", "blog.example.com", "applause:blog.example.com/post")]
    [InlineData("HTTP://Blog.Example.com/Post?id=1&x=2#top", "blog.example.com", "applause:blog.example.com/Post")]
    [InlineData("//blog.example.com/post/", "blog.example.com", "applause:blog.example.com/post/")]
    [InlineData("google.com", "google.com", "applause:google.com")]
    [InlineData("https://google.com/", "google.com", "applause:google.com")]
    [InlineData("http://localhost:4000/a", "localhost:4000", "applause:localhost:4000/a")]
    [InlineData("https%3A%2F%2Fblog.example.com%2Fpost%3Fid%3D1", "blog.example.com", "applause:blog.example.com/post")]
    [InlineData("https://blog.example.com/caf%C3%A9", "blog.example.com", "applause:blog.example.com/café")]
    [InlineData("https://blog.example.com/café", "blog.example.com", "applause:blog.example.com/café")]
    [InlineData("https://blog.example.com/a+b", "blog.example.com", "applause:blog.example.com/a+b")]
    public void Of_Address_IsWithoutSchemeAndQuery(string address, string site, string target) =>
        ApplausePage.Of(address).ShouldBe(new ApplausePage(site, target));

    [Theory]
    [InlineData("")]
    [InlineData("https://")]
    [InlineData("?id=1")]
    [InlineData("/post")]
    [InlineData("javascript alert")]
    [InlineData("https://blog.example.com/%00")]
    public void Of_NoAddress_IsNoPage(string address) => ApplausePage.Of(address).ShouldBeNull();

    [Fact]
    public void Of_LongAddresses_HaveShortTargetsOfTheirOwn()
    {
        var (one, other) = (ApplausePage.Of("https://a.example/" + new string('x', 300))!.Value, ApplausePage.Of("https://a.example/" + new string('x', 301))!.Value);

        one.TargetId.ShouldStartWith("applause-sha256:");
        one.TargetId.Length.ShouldBeLessThan(100);
        other.TargetId.ShouldNotBe(one.TargetId);
        one.Site.ShouldBe("a.example");
    }

    [Theory]
    [InlineData("?url=https://blog.example.com/p?id=1&x=2", "", "applause:blog.example.com/p")]
    [InlineData("?x=1&url=blog.example.com/p", "https://else.example/", "applause:blog.example.com/p")]
    [InlineData("", "https://blog.example.com/p?a=1", "applause:blog.example.com/p")]
    [InlineData("?x=1", "https://blog.example.com/", "applause:blog.example.com")]
    public void Of_Request_IsTheParameterElseTheCallingPage(string query, string referer, string target)
    {
        var request = new DefaultHttpContext().Request;
        request.QueryString = new QueryString(query);
        request.Headers.Referer = referer;

        ApplausePage.Of(request)!.Value.TargetId.ShouldBe(target);
    }
}
