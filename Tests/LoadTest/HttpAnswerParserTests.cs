using System.Text;
using HeartGrains.LoadTest.Http;

namespace HeartGrains.Tests.LoadTest;

public sealed class HttpAnswerParserTests
{
    [Theory]
    [InlineData("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", 201, "hello", true)]
    [InlineData("HTTP/1.1 429 \r\ncontent-length:  2 \r\nConnection: close\r\n\r\nno", 429, "no", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", 200, "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", 200, "0123456789", true)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok-and-more", 200, "ok", false)]
    public void Parse_WholeAnswer_GivesStatusAndBody(string text, int status, string body, bool keepAlive)
    {
        var buffer = Encoding.ASCII.GetBytes(text);

        var answer = HttpAnswerParser.Parse(buffer, ended: false);

        answer.State.ShouldBe(ParseState.Complete);
        answer.Status.ShouldBe(status);
        Encoding.ASCII.GetString(buffer, answer.BodyStart, answer.BodyLength).ShouldBe(body);
        answer.KeepAlive.ShouldBe(keepAlive);
    }

    [Theory]
    [InlineData("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n")]
    public void Parse_EveryCutOfAnAnswer_AsksForMore(string text)
    {
        for (var length = 0; length < text.Length; length++)
            HttpAnswerParser.Parse(Encoding.ASCII.GetBytes(text[..length]), ended: false).State.ShouldBe(ParseState.Incomplete, $"at {length}");
    }

    [Fact]
    public void Parse_NoLength_ReadsToTheEnd()
    {
        var buffer = "HTTP/1.1 200 OK\r\n\r\nall of it"u8.ToArray();

        HttpAnswerParser.Parse(buffer, ended: false).State.ShouldBe(ParseState.Incomplete);
        HttpAnswerParser.Parse(buffer, ended: true).ShouldBe(new(ParseState.Complete, 200, 19, 9));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2 and so on\r\n\r\n")]
    [InlineData("HTTP/1.1 abc\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4294967295\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    public void Parse_NotHttp_IsMalformed(string text) =>
        HttpAnswerParser.Parse(Encoding.ASCII.GetBytes(text), ended: false).State.ShouldBe(ParseState.Malformed);
}
