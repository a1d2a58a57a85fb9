using System.Collections.Immutable;
using System.Text;
using Postern.Configuration.Doubts;
using Postern.Configuration.Reading;
using Postern.Sasl;

namespace Postern.Configuration;

/// <summary>Finds the configuration file, reads it, and answers with a configuration or with everything that is wrong with it.</summary>
internal static class ConfigurationFile
{
    public const string Name = "postern.yaml";

    private const string SystemWide = "/etc/postern/postern.yaml";
    private const int MaxOctets = 4 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The file that was asked for, else <c>./postern.yaml</c>, else the system's; null when there is none.</summary>
    public static string? Find(string? asked) =>
        asked ?? (File.Exists(Name) ? Name : File.Exists(SystemWide) ? SystemWide : null);

    /// <summary>Reads the file that <see cref="Find"/> finds; the defaults when there is none.</summary>
    public static ConfigurationOutcome Load(string? asked)
    {
        if (Find(asked) is not { } file)
            return Parse(file: null, Directory.GetCurrentDirectory(), string.Empty);
        return ReadText(file, out var text) ?? Parse(file, DirectoryOf(file), text);
    }

    /// <summary>The directory of a file, to which its paths are relative.</summary>
    public static string DirectoryOf(string file) => Path.GetDirectoryName(Path.GetFullPath(file))!;

    /// <summary>Where the data directory is, as far as a file can be read that holds mistakes; null where that cannot be said.</summary>
    public static string? DataOf(string file)
    {
        if (ReadText(file, out var text) is not null || ConfigDocument.Read(file, text, []) is not { } root)
            return null;
        var context = new ReadContext(file, DirectoryOf(file), []);
        return Section.Read(context, root, string.Empty, static section => section.Child("server", ServerOptions.Read, string.Empty)).Data;
    }

    /// <summary>
    /// What a command needs that leaves a message for the server, as far as the file says it properly: any user may run it, and need not be
    /// able to read the secrets that the file names. The defaults where there is no file.
    /// </summary>
    public static ConfigurationError? ReadForSendmail(string? asked, out LocalConfiguration configuration)
    {
        var (file, text) = (Find(asked), string.Empty);
        ConfigNode? root = new ConfigNode.Mapping(1, 1, []);
        var errors = new List<ConfigurationError>();
        if (file is not null)
        {
            if (ReadText(file, out text) is { } unreadable)
                errors.AddRange(unreadable.Errors);
            else
                root = ConfigDocument.Read(file, text, errors) ?? root;
        }

        var directory = file is null ? Directory.GetCurrentDirectory() : DirectoryOf(file);
        configuration = Section.Read(
            new ReadContext(file ?? Name, directory, []),
            root,
            string.Empty,
            static section => new LocalConfiguration(
                section.Child("server", ServerOptions.Read, string.Empty),
                section.Child("limits", LimitsOptions.Read, string.Empty),
                section.Child("sendmail", SendmailSection.Read, string.Empty)));
        return errors.FirstOrDefault();
    }

    /// <summary>Null when <paramref name="text"/> is what stands in the file.</summary>
    public static ConfigurationOutcome.Invalid? ReadText(string file, out string text)
    {
        text = string.Empty;
        try
        {
            if (new FileInfo(file).Length > MaxOctets)
                return Broken(file, "larger than 4 MiB: not a configuration");
            text = StrictUtf8.GetString(File.ReadAllBytes(file)).TrimStart('\uFEFF');
            return null;
        }
        catch (DecoderFallbackException)
        {
            return Broken(file, "not UTF-8 text");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Broken(file, "no such file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Broken(file, $"cannot be read: {e.Message}");
        }
    }

    /// <summary>
    /// Reads a text as if it stood in <paramref name="file"/>; relative paths are relative to <paramref name="directory"/>.
    /// </summary>
    /// <param name="vaulted">What secrets came to that are in Vault; null where nobody has asked yet.</param>
    public static ConfigurationOutcome Parse(
        string? file, string directory, string text, IReadOnlyDictionary<VaultReference, Secret>? vaulted = null)
    {
        var errors = new List<ConfigurationError>();
        var context = new ReadContext(file ?? Name, directory, errors)
        {
            FromVault = vaulted ?? ImmutableDictionary<VaultReference, Secret>.Empty,
        };
        var root = file is null ? new ConfigNode.Mapping(1, 1, []) : ConfigDocument.Read(file, text, errors);
        if (root is null)
            return new ConfigurationOutcome.Invalid([.. errors]);
        var configuration = Section.Read(context, root, string.Empty, section => PosternConfiguration.Read(file, section));
        if (errors.Count == 0 && OpenRelay.Of(configuration) is { } relay)
            errors.Add(relay);
        return errors.Count == 0
            ? new ConfigurationOutcome.Valid(configuration with { Text = text })
            : new ConfigurationOutcome.Invalid(
                [.. errors.OrderBy(e => e.File != context.File).ThenBy(static e => e.Line).ThenBy(static e => e.Column)]);
    }

    /// <summary>The same configuration with what secrets came to that are in Vault.</summary>
    public static ConfigurationOutcome WithSecrets(
        PosternConfiguration configuration, IReadOnlyDictionary<VaultReference, Secret> vaulted) => Parse(
        configuration.File,
        configuration.File is { } file ? DirectoryOf(file) : Directory.GetCurrentDirectory(),
        configuration.Text,
        vaulted);

    private static ConfigurationOutcome.Invalid Broken(string file, string message) => new([new(file, 0, 0, string.Empty, message)]);
}

/// <summary>What a command needs that leaves a message for the server.</summary>
internal sealed record LocalConfiguration(ServerOptions Server, LimitsOptions Limits, SendmailSection Sendmail);

/// <summary>What reading a configuration came to.</summary>
internal abstract record ConfigurationOutcome
{
    private ConfigurationOutcome()
    {
    }

    public sealed record Valid(PosternConfiguration Configuration) : ConfigurationOutcome;

    /// <param name="Errors">All of them, in the order of the file; at least one.</param>
    public sealed record Invalid(ImmutableArray<ConfigurationError> Errors) : ConfigurationOutcome;
}
