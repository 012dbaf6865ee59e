# A template whose agents are processes on this machine: no cloud, no containers.
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

variable "coder_path" {
  type        = string
  description = "The Coder binary that the agents run; not newer than the server."
}

variable "agents_directory" {
  type        = string
  description = "Where the agents' homes, logs and process ids are kept."
}

data "coder_workspace" "me" {}

data "coder_parameter" "region" {
  name    = "region"
  type    = "string"
  default = "here"
  mutable = true
}

resource "coder_agent" "main" {
  arch = "amd64"
  os   = "linux"

  # So that there is a script whose time can be told.
  startup_script          = "sleep 0.5"
  startup_script_behavior = "blocking"
}

resource "terraform_data" "agent" {
  count = data.coder_workspace.me.start_count

  triggers_replace = {
    agent     = coder_agent.main.id
    directory = "${var.agents_directory}/${data.coder_workspace.me.id}"
  }

  provisioner "local-exec" {
    interpreter = ["/bin/bash", "-c"]
    command     = <<-SCRIPT
      set -eu
      mkdir -p "$DIRECTORY/home" "$DIRECTORY/tmp" "$DIRECTORY/log"
      cd "$DIRECTORY"
      HOME="$DIRECTORY/home" TMPDIR="$DIRECTORY/tmp" setsid "$CODER" agent \
        --pprof-address "" --prometheus-address 127.0.0.1:0 --debug-address 127.0.0.1:0 --log-dir "$DIRECTORY/log" \
        </dev/null >"$DIRECTORY/agent.out" 2>&1 &
      echo $! >"$DIRECTORY/agent.pid"
    SCRIPT
    environment = {
      DIRECTORY         = "${var.agents_directory}/${data.coder_workspace.me.id}"
      CODER             = var.coder_path
      CODER_AGENT_TOKEN = coder_agent.main.token
      CODER_AGENT_URL   = data.coder_workspace.me.access_url
      CODER_AGENT_AUTH  = "token"
      # Two agents on one machine would meet at these; older agents do not know them.
      CODER_AGENT_SOCKET_SERVER_ENABLED = "false"
      CODER_AGENT_DEVCONTAINERS_ENABLE  = "false"
      CODER_AGENT_SCRIPT_DATA_DIR       = "${var.agents_directory}/${data.coder_workspace.me.id}/tmp"
    }
  }

  provisioner "local-exec" {
    when        = destroy
    interpreter = ["/bin/bash", "-c"]
    command     = <<-SCRIPT
      PID=$(cat "$DIRECTORY/agent.pid" 2>/dev/null) || exit 0
      kill -TERM "$PID" 2>/dev/null || true
      for _ in $(seq 50); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done
      kill -KILL "$PID" 2>/dev/null || true
      rm -rf "$DIRECTORY"
    SCRIPT
    environment = {
      DIRECTORY = self.triggers_replace.directory
    }
  }
}
