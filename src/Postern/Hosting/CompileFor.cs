namespace Postern.Hosting;

/// <summary>What a configuration is compiled for.</summary>
internal enum CompileFor
{
    /// <summary>A server will run by it: what is missing and can be made, such as a certificate, is made.</summary>
    Serving,

    /// <summary>Nothing is changed, and everything doubtful is looked for.</summary>
    Checking,

    /// <summary>One decision is asked for. No certificate is read: a stand-in says that there would be TLS.</summary>
    Asking,
}
