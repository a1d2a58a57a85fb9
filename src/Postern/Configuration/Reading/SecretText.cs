using System.Text;
using Postern.Machine;
using Postern.Sasl;

namespace Postern.Configuration.Reading;

/// <summary>
/// A secret as it is written: <c>${VARIABLE}</c> of the environment, <c>file:PATH</c>, <c>credential:NAME</c> of those that systemd hands
/// to the service, <c>vault:PATH#KEY</c>, else the text itself. No message repeats any of it.
/// </summary>
internal static class SecretText
{
    /// <summary>Before the path of a file that holds the secret.</summary>
    private const string FilePrefix = "file:";

    /// <summary>Before the name of one of systemd's (systemd.exec(5), LoadCredential=).</summary>
    private const string CredentialPrefix = "credential:";

    /// <summary>Where systemd says that a service's credentials are.</summary>
    private const string CredentialsVariable = "CREDENTIALS_DIRECTORY";

    /// <summary>Where those of the service are, for whoever asks what the configuration says and is not the service.</summary>
    private const string ServiceCredentials = "/run/credentials/postern.service";

    private const int MaxFileOctets = 64 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="ownFile">Where <paramref name="text"/> itself stands.</param>
    /// <param name="directory">What a relative path is relative to.</param>
    public static SecretOutcome Read(string text, string ownFile, string directory)
    {
        if (text.StartsWith(FilePrefix, StringComparison.Ordinal))
            return FromFile(PathOf(text, directory));
        if (text.StartsWith(CredentialPrefix, StringComparison.Ordinal))
            return FromCredential(text[CredentialPrefix.Length..]);
        if (text.StartsWith(VaultReference.Prefix, StringComparison.Ordinal))
            return VaultReference.Parse(text) is { } reference
                ? new SecretOutcome.InVault(reference)
                : new SecretOutcome.Missing(
                    "vault: is followed by MOUNT/PATH#KEY, such as vault:secret/postern/upstream#password; "
                        + "a secret that begins so goes into a file");
        if (!text.StartsWith("${", StringComparison.Ordinal))
            return new SecretOutcome.Found(new Secret(text), Path.GetFullPath(ownFile));
        var name = text[2..].TrimEnd('}');
        if (text != $"${{{name}}}" || !IsVariable(name))
            return new SecretOutcome.Missing(
                "it begins like a variable and is none: ${NAME}, with letters, digits and underscores only; "
                    + "a secret that begins so goes into a file");
        return Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? new SecretOutcome.Found(new Secret(value), File: null)
            : new SecretOutcome.Missing($"the environment variable {name} is not set");
    }

    /// <summary><c>file:///path</c>, <c>file:/path</c> or <c>file:path</c>.</summary>
    private static string PathOf(string text, string directory)
    {
        var path = text[FilePrefix.Length..];
        return Path.GetFullPath(path.StartsWith("///", StringComparison.Ordinal) ? path[2..] : path, directory);
    }

    private static SecretOutcome FromCredential(string name)
    {
        // The names that systemd takes.
        if (name is "" or "." or ".." || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or ':'))
            return new SecretOutcome.Missing("credential: is followed by a name as LoadCredential= has it: letters, digits, '.', '_', '-'");
        var given = Environment.GetEnvironmentVariable(CredentialsVariable);
        if (given is null && !Directory.Exists(ServiceCredentials))
            return new SecretOutcome.Missing(
                $"the credential {name} cannot be had: {CredentialsVariable} is not set, as it is in a service of systemd with "
                    + $"LoadCredential={name}:PATH, and there is no {ServiceCredentials}");
        var file = Path.Combine(given ?? ServiceCredentials, name);
        return File.Exists(file) || given is null
            ? FromFile(file)
            : new SecretOutcome.Missing($"{file} does not exist: the unit has no LoadCredential={name}:PATH or SetCredential={name}:…");
    }

    /// <summary>The first line, which must be the only one: a line end behind it is not of the secret.</summary>
    private static SecretOutcome FromFile(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var octets = new byte[MaxFileOctets + 1];
            var length = stream.ReadAtLeast(octets, octets.Length, throwOnEndOfStream: false);
            if (length > MaxFileOctets)
                return new SecretOutcome.Missing($"{file} is larger than 64 KiB: not a secret");
            var line = StrictUtf8.GetString(octets.AsSpan(0, length)).TrimEnd('\n', '\r');
            return line.Length == 0 ? new SecretOutcome.Missing($"{file} is empty")
                : line.Any(char.IsControl) ? new SecretOutcome.Missing($"{file} holds more than one line, or a control character")
                : new SecretOutcome.Found(new Secret(line), file) { HasOwnFile = true };
        }
        catch (DecoderFallbackException)
        {
            return new SecretOutcome.Missing($"{file} is not UTF-8 text");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SecretOutcome.Missing($"{file} does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new SecretOutcome.Missing($"{file} cannot be read by {UserIdentity.Current}: {e.Message}");
        }
    }

    private static bool IsVariable(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');
}

/// <summary>What a secret's text led to.</summary>
internal abstract record SecretOutcome
{
    private SecretOutcome()
    {
    }

    /// <param name="File">Where it stands, absolute; null for the environment.</param>
    public sealed record Found(Secret Secret, string? File) : SecretOutcome
    {
        /// <summary>The file holds nothing else.</summary>
        public bool HasOwnFile { get; init; }
    }

    /// <summary>It has to be asked for, by whoever can wait (<see cref="VaultReference"/>).</summary>
    public sealed record InVault(VaultReference Reference) : SecretOutcome;

    public sealed record Missing(string Message) : SecretOutcome;
}
