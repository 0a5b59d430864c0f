using System.Security.Cryptography;
using System.Text;

namespace HeartGrains.Tests.Identity;

/// <summary>Server keys as they are configured.</summary>
internal static class TestKeys
{
    /// <summary>What is configured of a key.</summary>
    public static string HashOf(string key) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The settings of a key under <c>HeartGrains</c>, as <c>Key=Value</c>.</summary>
    public static string[] Settings(string key, string scopes = "hearts:admin", string name = "operator", int index = 0) =>
        [$"Auth:Keys:{index}:Name={name}", $"Auth:Keys:{index}:Hash={HashOf(key)}", $"Auth:Keys:{index}:Scopes={scopes}"];

    /// <summary>The same on the command line.</summary>
    public static string[] Switches(string key, string scopes = "hearts:admin", string name = "operator", int index = 0) =>
        [.. Settings(key, scopes, name, index).Select(static setting => "--HeartGrains:" + setting)];
}
