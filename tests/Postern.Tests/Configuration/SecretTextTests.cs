using System.Text;
using Postern.Configuration.Reading;

namespace Postern.Tests.Configuration;

public sealed class SecretTextTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("postern-secret-").FullName;

    [Fact]
    public void A_text_is_the_secret_itself_and_stands_in_the_configuration()
    {
        Assert.Equal(("tiger$", "/etc/postern.yaml"), Found("tiger$"));
    }

    [Fact]
    public void A_variable_of_the_environment_stands_in_no_file()
    {
        Environment.SetEnvironmentVariable("POSTERN_TEST_SECRET_1", "from the environment");

        Assert.Equal(("from the environment", null), Found("${POSTERN_TEST_SECRET_1}"));
    }

    [Theory]
    [InlineData("${POSTERN_TEST_SECRET_2}", "the environment variable POSTERN_TEST_SECRET_2 is not set")]
    [InlineData("${not a name", "it begins like a variable and is none: ${NAME}, with letters, digits and underscores only; a secret that begins so goes into a file")]
    [InlineData("${", "it begins like a variable and is none: ${NAME}, with letters, digits and underscores only; a secret that begins so goes into a file")]
    [InlineData("${A}}", "it begins like a variable and is none: ${NAME}, with letters, digits and underscores only; a secret that begins so goes into a file")]
    [InlineData("${A}B", "it begins like a variable and is none: ${NAME}, with letters, digits and underscores only; a secret that begins so goes into a file")]
    public void A_variable_that_is_not_there_is_a_value(string text, string message) => Assert.Equal(message, Missing(text));

    [Theory]
    [InlineData("tiger", "tiger")]
    [InlineData("tiger\n", "tiger")]
    [InlineData("tiger\r\n", "tiger")]
    [InlineData(" ti ger ", " ti ger ")]
    public void The_line_end_behind_a_secret_in_a_file_is_not_of_it(string content, string secret)
    {
        var file = Write(content);

        Assert.Equal((secret, file), Found($"file:{file}"));
        Assert.Equal((secret, file), Found($"file://{file}"));
        Assert.Equal((secret, file), Found($"file:{Path.GetFileName(file)}"));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\n", "is empty")]
    [InlineData("tiger\nlion\n", "holds more than one line, or a control character")]
    [InlineData("tiger\0", "holds more than one line, or a control character")]
    public void A_file_that_holds_no_secret_is_a_value_that_does_not_repeat_it(string content, string problem)
    {
        var file = Write(content);

        Assert.Equal($"{file} {problem}", Missing($"file:{file}"));
    }

    [Fact]
    public void A_file_that_cannot_be_read_or_is_too_large_is_a_value()
    {
        var file = Write(new string('x', (64 * 1024) + 1));

        Assert.Equal($"{file} is larger than 64 KiB: not a secret", Missing($"file:{file}"));
        Assert.Equal($"{directory}/none does not exist", Missing("file:none"));
        Assert.Contains("cannot be read by", Missing($"file:{directory}"), StringComparison.Ordinal);
    }

    /// <summary>systemd.exec(5): LoadCredential= and SetCredential= put a file of the name into the directory that the variable names.</summary>
    [Fact]
    public void A_credential_of_systemd_is_a_file_that_the_service_alone_can_read()
    {
        var before = Environment.GetEnvironmentVariable("CREDENTIALS_DIRECTORY");
        try
        {
            Environment.SetEnvironmentVariable("CREDENTIALS_DIRECTORY", directory);
            var file = Write("tiger\n");
            Assert.Equal(("tiger", file), Found("credential:secret"));
            Assert.Equal($"{directory}/relay does not exist: the unit has no LoadCredential=relay:PATH or SetCredential=relay:…", Missing("credential:relay"));
            Assert.All(
                (string[])["credential:", "credential:..", "credential:a/b", "credential:../secret", "credential:a b"],
                text => Assert.StartsWith("credential: is followed by a name as LoadCredential= has it", Missing(text), StringComparison.Ordinal));
            Environment.SetEnvironmentVariable("CREDENTIALS_DIRECTORY", null);
            Assert.Contains("CREDENTIALS_DIRECTORY is not set", Missing("credential:secret"), StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable("CREDENTIALS_DIRECTORY", before);
        }
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private string Write(string content)
    {
        var file = Path.Combine(directory, "secret");
        File.WriteAllText(file, content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return file;
    }

    private (string Secret, string? File) Found(string text) =>
        Assert.IsType<SecretOutcome.Found>(SecretText.Read(text, "/etc/postern.yaml", directory)) is var (secret, file) ? (secret.Reveal(), file) : default;

    private string Missing(string text) => Assert.IsType<SecretOutcome.Missing>(SecretText.Read(text, "/etc/postern.yaml", directory)).Message;
}
