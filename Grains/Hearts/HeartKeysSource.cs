using System.Security.Cryptography;
using HeartGrains.Hosting;
using HeartGrains.Ledger.Sqlite;

namespace HeartGrains.Hearts;

/// <summary>Where the secret comes from: configuration; else, in the one-process modes, made at first start.</summary>
internal static class HeartKeysSource
{
    private const int MinLength = 16;

    public static HeartKeys Find(HostSettings settings) => new(settings.Key ?? settings.Mode switch
    {
        HostMode.Dev => NewSecret(),
        HostMode.Single => ReadOrMake(settings.Data),
        _ => throw StartException.Setting("HeartGrains:Key", "A cluster needs the secret that its ids are derived from, the same in all silos"),
    });

    private static string ReadOrMake(string folder)
    {
        var path = Path.Combine(folder, "heart.key");
        try
        {
            if (File.Exists(path)) return Read(path);
            DataFolderLock.Make(folder);
            var secret = NewSecret();
            OwnFile.Replace(path, secret);
            return secret;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DataFolderLock.Unusable(folder, exception);
        }
    }

    private static string Read(string path)
    {
        var secret = File.ReadAllText(path).Trim();
        return secret.Length >= MinLength
            ? secret
            : throw StartException.Setting(
                "HeartGrains:Key", $"{path} holds no key; bring back the one its hearts were given under, or remove the folder to start anew");
    }

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
