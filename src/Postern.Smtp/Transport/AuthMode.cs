namespace Postern.Smtp.Transport;

/// <summary>When a listener offers AUTH.</summary>
public enum AuthMode
{
    /// <summary>Never.</summary>
    Off,

    /// <summary>Only on a protected connection.</summary>
    TlsOnly,

    /// <summary>In clear too: for devices that cannot do better, on networks where that is acceptable.</summary>
    Always,
}
