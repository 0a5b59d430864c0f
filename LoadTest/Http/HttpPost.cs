using System.Text;

namespace HeartGrains.LoadTest.Http;

/// <summary>A POST with a JSON body.</summary>
internal static class HttpPost
{
    public static byte[] Bytes(Uri url, string path, string body) => Encoding.UTF8.GetBytes(
        $"POST {url.AbsolutePath.TrimEnd('/')}{path} HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/json\r\n" +
        $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
}
